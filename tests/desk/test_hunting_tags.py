from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.desk.day_bars import day_bars
from footprint.desk.templatetags.hunting import kql, megabytes
from hunts.kql.footprint import seed_query


@given(st.text())
def test_colour_changes_no_character_of_a_query(text: str) -> None:
    html = kql(text)
    assert unescape(re.sub(r"</?span[^>]*>", "", html)) == unescape(text.replace("&", "&amp;"))
    assert set(re.findall(r"<[^>]*>", html)) <= {
        '<span class="kql-comment">',
        '<span class="kql-text">',
        '<span class="kql-word">',
        "</span>",
    }


def test_words_texts_and_comments_are_told_apart() -> None:
    html = kql(seed_query("a.exe").text)
    assert '<span class="kql-text">&quot;a.exe&quot;</span>' in html
    assert '<span class="kql-word">distinct</span>' in html
    assert '<span class="kql-comment">// Builds table' in html


@pytest.mark.parametrize(
    ("count", "said"), [(0, ""), (1, "<0.1"), (6_100_000, "6.1"), (1_234_567_890, "1,234.6")]
)
def test_megabytes(count: int, said: str) -> None:
    assert megabytes(count) == said


def test_bars_say_on_how_many_days_there_are_rows() -> None:
    drawn = day_bars([0, 5, 0, 9000], date(2026, 11, 24))
    assert 'aria-label="Rows on 2 of the last 4 days, at most 9,000 on 24 Nov"' in drawn
    assert drawn.count('class="bar"') == 2
    assert "22 Nov: 5 rows" in drawn


def test_bars_of_nothing_say_so() -> None:
    assert 'aria-label="No rows on the last 3 days"' in day_bars([0, 0, 0], date(2026, 11, 24))
