"""The rich question has exactly the pairs of the public one, whatever the names."""

from __future__ import annotations

import string
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hunts.kql.files import BadFileName, parse_file
from hunts.kql.footprint import footprint_query
from hunts.kql.window import Window
from tests.hunts.kql.test_quote import QUOTABLE
from tests.hunts.parquet import ALWAYS, NOON, adapter_over, pairs_of_seed, recorded, rows_of

NASTY = (
    *("svchost.exe", "SVCHOST.exe", 'quo"te.exe', "back\\slash", "end\\", "$x.exe", "a b.exe", " a b.exe"),
    *("k.exe", "K.exe", "\u212a.exe", "s.exe", "\u017f.exe", "i.exe", "I.exe", "İ.exe", "i\u0307.exe"),
    *("ß.exe", "ss.exe", "SS.exe", "\u1e9e.exe", "größe.exe", "größe.EXE", "GRÖßE.exe", "GRÖSSE.exe"),
    *("é.exe", "e\u0301.exe", "\ufeffa.exe", "😀.exe", '") or 1==1 #', "'; --", "%_*?", "[a]", "{}", "let"),
    *("<unknown process>", "", "//"),
)
NAMES = st.one_of(st.sampled_from(NASTY), QUOTABLE.filter(lambda text: len(text) < 30))
ENDS = st.sampled_from(
    ("", "", "192.0.2.1", "192.0.2.2", "::ffff:192.0.2.1", "x.example", "X.example", "-", "[1]")
)
EVENTS = st.lists(st.tuples(NAMES, ENDS, ENDS, st.integers(0, 60)), max_size=25)
FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@cache
def folder() -> Path:
    return Path(mkdtemp(prefix="footprint-seed-"))


def expected(events: list[tuple[str, str, str, int]], name: str) -> set[tuple[str, str]]:
    wanted = name.translate(FOLD)
    return {(ip, dns) for file, ip, dns, _ in events if file.translate(FOLD) == wanted and (ip or dns)}


def askable(name: str) -> bool:
    try:
        return bool(parse_file(name))
    except BadFileName:
        return False


def check_agreement(events: list[tuple[str, str, str, int]], names: list[str]) -> None:
    rows: list[dict[str, Any]] = [
        recorded(name, ip, dns, NOON + timedelta(hours=hours)) for name, ip, dns, hours in events
    ]
    adapter = adapter_over(folder(), rows)
    files = [parse_file(name) for name in names]
    answered = rows_of(adapter, footprint_query(files, ALWAYS, adapter.dialect))
    for file in files:
        pairs = expected(events, file.text)
        assert {(row.ip, row.dns) for row in answered if row.file == file.key} == pairs
        assert pairs_of_seed(adapter, file.text) == pairs
    keys = {file.key for file in files}
    assert {row.file for row in answered} <= keys
    matching = [name for name, ip, dns, _ in events if name.translate(FOLD) in keys and (ip or dns)]
    assert sum(row.events for row in answered) == len(matching)


@settings(deadline=None, max_examples=20)
@given(EVENTS, NAMES.filter(askable))
def test_the_seed_and_the_rich_question_agree(events: list[tuple[str, str, str, int]], other: str) -> None:
    recorded_names = [event[0] for event in events if askable(event[0])]
    check_agreement(events, list(dict.fromkeys([other, *recorded_names]))[:3])


def test_they_agree_when_every_nasty_name_has_an_endpoint_of_its_own() -> None:
    events = [(name, "192.0.2.1", f"h{number}.example", 0) for number, name in enumerate(NASTY)]
    check_agreement(events, [name for name in NASTY if askable(name)])


@settings(deadline=None, max_examples=10)
@given(EVENTS.filter(bool), st.integers(0, 2), st.integers(0, 2))
def test_days_asked_apart_make_the_same_rows(
    events: list[tuple[str, str, str, int]], first: int, more: int
) -> None:
    rows = [recorded("a.exe", ip, dns, NOON + timedelta(hours=hours)) for _, ip, dns, hours in events]
    adapter = adapter_over(folder(), rows)
    start = NOON.date() + timedelta(days=first)
    whole = Window.days(start, start + timedelta(days=more))
    files = [parse_file("a.exe")]

    def asked(window: Window) -> list[str]:
        query = footprint_query(files, window, adapter.dialect)
        return [repr(row) for row in rows_of(adapter, query, window=window)]

    apart = [row for day in whole.each_day() for row in asked(Window.days(day, day))]
    assert sorted(apart) == sorted(asked(whole))
