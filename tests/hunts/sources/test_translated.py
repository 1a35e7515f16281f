"""The SQL of a question, without what the types of our columns answer beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import duckdb
import duckdb_kql
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hunts.kql.files import AskedFile, FileKind, parse_file
from hunts.kql.footprint import TABLE, Query, footprint_query
from hunts.kql.plan import plan_query
from hunts.kql.window import Window
from hunts.sources.local import LocalAdapter
from hunts.sources.locked import Limits, Visible, locked_database, question_connection
from hunts.sources.translated import fold_literals, form_of, translated, with_known_types
from hunts.telemetry.columns import RECORDED
from hunts.telemetry.names import file_key
from tests.hunts.parquet import NOON, recorded, write_parquet

DIALECT = LocalAdapter.dialect
WINDOW = Window.days((NOON - timedelta(days=3)).date(), NOON.date())
OTHER_WINDOW = Window(NOON - timedelta(hours=30), NOON)
MANY = tuple(f"name '{number}' list 0.\"x.EXE" for number in range(40))
# Pieces of the SQL that is looked for, as a file may be called.
PIECES = (
    *(
        "a.exe",
        "'",
        '"',
        "(",
        ")",
        ", ",
        "coalesce(CASE typeof(",
        '"RemoteIP"',
        " WHEN 'JSON' THEN ",
        "lower('",
    ),
    *(" ELSE CAST(", " AS VARCHAR) END, '')", "to_json(", "TRY_CAST(", "IN (", ") END", "epoch(", "lower('"),
    *("list 0.", "list 1.", "1970-01-01T00:00:00.000000Z", "datetime(", "in~ (", "\\", "Ö"),
)
NAMES = st.lists(st.sampled_from(PIECES), min_size=1).map("".join)
# Translating takes a tenth of a second.
few = settings(deadline=None, max_examples=30)


@pytest.mark.parametrize(
    ("sql", "folded"),
    [
        ("lower(\"A\") IN (lower('A.EXE'), lower('It''s'))", "lower(\"A\") IN ('a.exe', 'it''s')"),
        ("lower('GRÖSSE')", "'grÖsse'"),
        # A name that reads like SQL stays a name.
        ("x = 'lower('''')' OR y = 'lower(''A'')'", "x = 'lower('''')' OR y = 'lower(''A'')'"),
        ("lower('lower(''A'')')", "'lower(''a'')'"),
        ("\"lower('A')\" = xlower('A')", "\"lower('A')\" = xlower('A')"),
    ],
)
def test_lowered_literals_are_folded_beforehand_and_nothing_else_is(sql: str, folded: str) -> None:
    assert fold_literals(sql) == folded


def test_questions_that_differ_in_names_and_days_have_one_form() -> None:
    names = [f"name '{number}'.EXE" for number in range(40)]
    form = form_of(footprint_query(list(map(parse_file, names)), WINDOW, DIALECT).text)
    assert list(form.lists.values()) == [names]
    assert [time[:10] for time in form.times.values()] == ["2026-10-30", "2026-11-03"]
    assert form_of(footprint_query([parse_file("a.exe")], OTHER_WINDOW, DIALECT).text).text == form.text


@few
@given(st.lists(NAMES, min_size=1, max_size=20, unique=True), st.sampled_from([WINDOW, OTHER_WINDOW]))
def test_any_names_and_days_become_the_same_sql_as_without_a_form(names: list[str], window: Window) -> None:
    files = [AskedFile(FileKind.NAME, name, file_key(name)) for name in names]
    kql = footprint_query(files, window, DIALECT).text
    plain = duckdb_kql.to_sql(kql, schema={TABLE: list(RECORDED)}, allow_write=False)
    whole = with_known_types(fold_literals(plain))
    assert translated(kql) == whole


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    rows = [
        recorded(
            file,
            "" if number % 5 == 0 else f"192.0.2.{number % 7}",
            ("", "CDN.example", "[1]")[number % 3],
            NOON - timedelta(hours=5 * number, microseconds=number),
            DeviceId=("", "d1", "d2")[number % 3],
            DeviceName=("", '["a", "b"]', "x,y")[number % 3],
            RemotePort=number % 4 or None,
            InitiatingProcessSHA1="AB" * 20 if number % 2 else "",
            InitiatingProcessCommandLine=("[1, 2]", "null", '"quoted"')[number % 3],
        )
        for number in range(40)
        for file in ("A.exe", "größe.exe", "o'x.exe")
    ]
    path = write_parquet(tmp_path / "rows.parquet", rows)
    with closing(locked_database([path], Limits(), tmp_path / "spill")) as database:
        yield question_connection(database, Visible([path], Window()))


def questions() -> list[Query]:
    names = [parse_file(name) for name in ("a.EXE", "größe.exe", "o'x.exe")]
    return [
        footprint_query(names, WINDOW, DIALECT),
        footprint_query(names[:1], Window(), DIALECT, "a"),
        footprint_query([*names, *map(parse_file, MANY)], WINDOW, DIALECT),
        plan_query([*names, *map(parse_file, MANY)], WINDOW, DIALECT),
        footprint_query([parse_file("ab" * 20)], WINDOW, DIALECT),
        plan_query([*names, parse_file("ab" * 20)], WINDOW, DIALECT),
    ]


@pytest.mark.parametrize("query", questions())
def test_the_answer_is_that_of_the_plain_translation(
    connection: duckdb.DuckDBPyConnection, query: Query
) -> None:
    plain = duckdb_kql.to_sql(query.text, schema={TABLE: list(RECORDED)}, allow_write=False)
    sets = [place for place, name in enumerate(query.columns) if name in dict(query.sets)]
    answers = [
        sorted(
            tuple(sorted(cell) if place in sets else cell for place, cell in enumerate(row))
            for row in connection.execute(sql).fetchall()
        )
        for sql in (plain, translated(query.text))
    ]
    assert answers[0]
    assert answers[0] == answers[1]


def test_the_question_asks_no_cell_for_its_type() -> None:
    sql = translated(footprint_query([parse_file("a.exe")], WINDOW, DIALECT).text)
    assert "typeof(" not in sql
    assert "AS JSON" not in sql
    assert "floor(" not in sql


@few
@given(st.lists(NAMES, min_size=1, max_size=3))
def test_whatever_a_file_is_called_its_name_stays_as_it_is(names: list[str]) -> None:
    files = [AskedFile(FileKind.NAME, name, file_key(name)) for name in names]
    sql = fold_literals(
        duckdb_kql.to_sql(
            footprint_query(files, WINDOW, DIALECT).text, schema={TABLE: list(RECORDED)}, allow_write=False
        )
    )
    answered = with_known_types(sql)
    for name in names:
        literal = "'" + file_key(name).replace("'", "''") + "'"
        assert literal in answered
    assert 'typeof("InitiatingProcessFileName")' not in answered
