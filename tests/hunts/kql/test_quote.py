from __future__ import annotations

from functools import cache

import duckdb
import duckdb_kql
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hunts.kql.quote import UnquotableText, quote

QUOTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029"))


@cache
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def evaluated(kql: str) -> object:
    rows = connection().execute(duckdb_kql.to_sql(kql, allow_write=False)).fetchall()
    return rows[0][0]


@settings(deadline=None)  # translating takes what it takes
@given(QUOTABLE)
@example('") or 1==1 //')
@example("\\")
@example('\\"')
@example("a.exe\\")
@example("$x {y} `z` 'w' ```k``` h\"\" @'' %s")
@example("größe İ ß \u212a 😀 \u202e \ufeff")
def test_what_is_quoted_means_itself(text: str) -> None:
    assert evaluated(f"print x={quote(text)}") == text


@settings(deadline=None)  # translating takes what it takes
@given(QUOTABLE, QUOTABLE)
def test_two_literals_side_by_side_stay_two(first: str, second: str) -> None:
    assert evaluated(f"print x=strcat({quote(first)}, {quote(second)})") == first + second


@pytest.mark.parametrize(
    "character",
    [
        "\x00",
        "\t",
        "\n",
        "\r",
        "\x1f",
        "\x7f",
        "\x80",
        "\x85",
        "\x9f",
        "\u2028",
        "\u2029",
        "\udfff",
    ],
)
def test_control_characters_are_refused_with_their_position(character: str) -> None:
    with pytest.raises(UnquotableText) as caught:
        quote(f"ab{character}c")
    assert caught.value.position == 2
    assert "Character 3" in str(caught.value)
    assert f"U+{ord(character):04X}" in str(caught.value)


@pytest.mark.parametrize("character", [" ", "~", "\xa0", "\u2027", "\u202a", "\ue000", "\U0010ffff"])
def test_the_neighbours_of_control_characters_are_quoted(character: str) -> None:
    assert quote(character) == f'"{character}"'
