"""The SQL that DuckDB gets for a KQL text.

duckdb-kql knows no types, so its SQL asks each cell what it is: whether it is JSON, whether a text reads
like an array. The types of our columns are known, so these questions are answered here, beforehand: the
answers are the same, in half the time. SQL that is not recognised stays as it is, correct and slower.

Translating takes longer than a rare name's rows do, and questions differ in names and times alone. So
these are put into the SQL afterwards, and the SQL around them is kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache

import duckdb_kql

from hunts.kql.footprint import TABLE
from hunts.telemetry.columns import RECORDED
from hunts.telemetry.names import file_key

# Without it a query with a join or a union has no translation.
_SCHEMA = {TABLE: list(RECORDED)}

_KQL_TEXT = r'"(?:[^"\\]|\\["\\])*+"'
_KQL_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
_NAMES_AND_TIMES = re.compile(
    rf'in~ \((?P<texts>{_KQL_TEXT}(?:, {_KQL_TEXT})*+)\)|datetime\((?P<time>{_KQL_TIME})\)|"(?:[^"\\]|\\.)*+"'
)
_TIME_MARK = "1970-01-01T00:00:00.{:06}Z"
_KEPT_FORMS = 256
# What is quoted is matched as a whole, so nothing inside of it is taken for SQL.
_LITERAL = r"'(?:[^']|'')*+'"
_QUOTED_NAME = r'"(?:[^"]|"")*+"'
_LOWER_OF_LITERAL = re.compile(rf"\blower\(({_LITERAL})\)|{_LITERAL}|{_QUOTED_NAME}")

_LITERALS = rf"{_LITERAL}(?:, {_LITERAL})*+"
_PART_OF_TIME = {"1d": "day", "1h": "hour"}
_TEXT = (
    r"""coalesce\(CASE typeof\("(?P<text>\w+)"\) WHEN 'JSON' THEN .*?"""
    r""" ELSE CAST\("(?P=text)" AS VARCHAR\) END, ''\)"""
)
_SET = (
    r"""list_distinct\(flatten\(list\(CASE WHEN json_type\(TRY_CAST\("(?P<set>\w+)" AS JSON\)\) = 'ARRAY'"""
    r""" THEN CAST\(to_json\("(?P=set)"\) AS JSON\[\]\) ELSE \[to_json\("(?P=set)"\)\] END\)"""
    r""" FILTER \(WHERE "(?P=set)" IS NOT NULL\)\)\)"""
)
_IN = (
    r"""CASE WHEN typeof\("(?P<in>\w+)"\) = 'JSON' THEN"""
    rf""" coalesce\(\(lower\(coalesce\("(?P=in)" ->> '\$', ''\)\) IN \({_LITERALS}\)\), FALSE\)"""
    rf""" ELSE (?P<is_in>coalesce\(\(lower\("(?P=in)"\) IN \({_LITERALS}\)\), FALSE\)) END"""
)
_BIN = (
    r"""to_timestamp\(floor\(epoch\("(?P<bin>\w+)"\) / epoch\(INTERVAL '(?P<width>1d|1h)'\)\)"""
    r""" \* epoch\(INTERVAL '(?P=width)'\)\) AT TIME ZONE 'UTC'"""
)
_ASKS_FOR_TYPES = re.compile(rf"{_TEXT}|{_SET}|{_IN}|{_BIN}|{_LITERAL}|{_QUOTED_NAME}")


@dataclass(frozen=True)
class Form:
    """A text with marks in the place of lists of names and of times, and what each mark stands for."""

    text: str
    lists: dict[str, list[str]] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)


def translated(kql: str) -> str:
    """Raises duckdb_kql.KqlError."""
    form = form_of(kql)
    sql = _translated_form(form.text)
    # Of a mark of which the translation made anything else, nothing is put into its place.
    if any(sql.count(mark) != sql.count(f"'{mark}'") or mark not in sql for mark in form.times) or any(
        sql.count(mark) != sql.count(f"IN ('{mark}')") or mark not in sql for mark in form.lists
    ):
        return _translated_whole(kql)
    for mark, time in form.times.items():
        sql = sql.replace(f"'{mark}'", f"'{time}'")
    for mark, texts in form.lists.items():
        names = ", ".join(file_key("'" + text.replace("'", "''") + "'") for text in texts)
        sql = sql.replace(f"IN ('{mark}')", f"IN ({names})")
    return sql


def _translated_whole(kql: str) -> str:
    return with_known_types(fold_literals(duckdb_kql.to_sql(kql, schema=_SCHEMA, allow_write=False)))


_translated_form = lru_cache(maxsize=_KEPT_FORMS)(_translated_whole)


def form_of(kql: str) -> Form:
    lists: dict[str, list[str]] = {}
    times: dict[str, str] = {}

    def marked(found: re.Match[str]) -> str:
        if found["time"]:
            mark = _unused(_TIME_MARK, times, kql)
            times[mark] = found["time"]
            return f"datetime({mark})"
        if not found["texts"]:
            return found[0]
        mark = _unused("list {}.", lists, kql)
        texts = re.findall(_KQL_TEXT, found["texts"])
        lists[mark] = [re.sub(r"\\(.)", r"\1", text[1:-1]) for text in texts]
        return f'in~ ("{mark}")'

    return Form(_NAMES_AND_TIMES.sub(marked, kql), lists, times)


def _unused(mark: str, taken: Collection[str], kql: str) -> str:
    """The same ones for the same form, unless the text has one of its own."""
    number = len(taken)
    while mark.format(number) in kql or mark.format(number) in taken:
        number += 1
    return mark.format(number)


def fold_literals(sql: str) -> str:
    """Lowers each `lower('…')` beforehand, as the connection's own macro would: planning a thousand names
    takes a third of the time then."""
    return _LOWER_OF_LITERAL.sub(lambda found: file_key(found[1]) if found[1] else found[0], sql)


def with_known_types(sql: str) -> str:
    return _ASKS_FOR_TYPES.sub(_answered, sql)


def _answered(found: re.Match[str]) -> str:
    column = found["text"] or found["set"] or found["in"] or found["bin"]
    match (found.lastgroup, RECORDED.get(column or "")):
        case ("text", "VARCHAR"):
            return f"coalesce(\"{column}\", '')"
        case ("set", str()):
            return f'list_distinct(list("{column}") FILTER (WHERE "{column}" IS NOT NULL))'
        case ("is_in", "VARCHAR"):
            return found["is_in"]
        case ("width", "TIMESTAMP"):
            return f"date_trunc('{_PART_OF_TIME[found['width']]}', \"{column}\")"
        case _:
            return found[0]
