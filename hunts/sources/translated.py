"""The SQL that DuckDB gets for a KQL text.

duckdb-kql knows no types, so its SQL asks each cell what it is: whether it is JSON, whether a text reads
like an array. The types of our columns are known, so these questions are answered here, beforehand: the
answers are the same, in half the time. SQL that is not recognised stays as it is, correct and slower.
"""

from __future__ import annotations

import re

import duckdb_kql

from hunts.kql.footprint import TABLE
from hunts.telemetry.columns import RECORDED
from hunts.telemetry.names import file_key

# Without it a query with a join or a union has no translation.
_SCHEMA = {TABLE: list(RECORDED)}

# A list of at least so many names is put into the SQL afterwards: translating one takes its time per name.
_LONG_LIST = 16
_KQL_TEXT = r'"(?:[^"\\]|\\["\\])*+"'
_LISTS = re.compile(rf'in~ \((?P<texts>{_KQL_TEXT}(?:, {_KQL_TEXT})*+)\)|"(?:[^"\\]|\\.)*+"')
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


def translated(kql: str) -> str:
    """Raises duckdb_kql.KqlError."""
    short, lists = without_long_lists(kql)
    sql = with_known_types(_plain(short))
    for mark, texts in lists.items():
        if sql.count(mark) != sql.count(f"IN ('{mark}')"):
            return with_known_types(_plain(kql))
        names = ", ".join(file_key("'" + text.replace("'", "''") + "'") for text in texts)
        sql = sql.replace(f"IN ('{mark}')", f"IN ({names})")
    return sql


def _plain(kql: str) -> str:
    return fold_literals(duckdb_kql.to_sql(kql, schema=_SCHEMA, allow_write=False))


def without_long_lists(kql: str) -> tuple[str, dict[str, list[str]]]:
    """The text with a mark in the place of each long list of names, and the names by mark."""
    lists: dict[str, list[str]] = {}

    def marked(found: re.Match[str]) -> str:
        texts = re.findall(_KQL_TEXT, found["texts"] or "")
        if len(texts) < _LONG_LIST:
            return found[0]
        mark = f"list {len(lists)}"
        while mark in kql:
            mark += "."
        lists[mark] = [re.sub(r"\\(.)", r"\1", text[1:-1]) for text in texts]
        return f'in~ ("{mark}")'

    return _LISTS.sub(marked, kql), lists


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
