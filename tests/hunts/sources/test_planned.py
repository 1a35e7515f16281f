from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hunts.kql.files import parse_file
from hunts.kql.footprint import Dialect, Query
from hunts.kql.plan import PLAN_COLUMNS
from hunts.kql.rows import Row
from hunts.kql.window import Window
from hunts.sources.base import Adapter, Answer, Probe
from hunts.sources.errors import Rejected, TimedOut, Truncated
from hunts.sources.local import LocalAdapter
from hunts.sources.planned import Asked, Question
from tests.hunts.parquet import ALWAYS, NOON, SECONDS, StoreOf, adapter_over, recorded

FILES = [parse_file("a.exe")]
SHA1 = "ab" * 20


@dataclass
class Counting:
    """Passes questions on and keeps what was asked."""

    inner: LocalAdapter
    asked: list[tuple[Query, Window]] = field(default_factory=list)

    @property
    def dialect(self) -> Dialect:
        return self.inner.dialect

    def ask(self, query: Query, window: Window, *, timeout: float) -> Answer:
        self.asked.append((query, window))
        return self.inner.ask(query, window, timeout=timeout)

    def interrupt(self) -> None:
        self.inner.interrupt()

    def probe(self, through: Adapter | None = None) -> Probe:
        return self.inner.probe()


@dataclass
class Scripted:
    """Gives the same plan and then this answer, or raises it."""

    answer: Answer | Exception
    plan_rows: Iterable[tuple[object, ...]] = ((datetime(2026, 11, 2, tzinfo=UTC), 1, 1, 1),)
    plan_partial: str | None = None
    dialect: Dialect = field(default_factory=lambda: Dialect("Timestamp"))

    def ask(self, query: Query, window: Window, *, timeout: float) -> Answer:
        if query.columns == PLAN_COLUMNS:
            return Answer(PLAN_COLUMNS, self.plan_rows, partial=self.plan_partial)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def interrupt(self) -> None: ...

    def probe(self, through: Adapter | None = None) -> Probe:
        return Probe(())


def ask(adapter: Adapter, *, window: Window = ALWAYS, max_groups: int = 50_000) -> list[Row]:
    question = Question(adapter, FILES, window, timeout=SECONDS, max_groups=max_groups)
    return list(question.rows(lambda asked: None))


def days_with(*numbers: int) -> list[dict[str, Any]]:
    """Events of a.exe: so many pairs on the first day, on the second, and so on."""
    return [
        recorded("a.exe", f"192.0.2.{pair}", at=NOON + timedelta(days=days))
        for days, pairs in enumerate(numbers)
        for pair in range(pairs)
    ]


def texts(rows: Iterable[Row]) -> list[str]:
    return sorted(map(repr, rows))


def test_quiet_days_cost_one_question(tmp_path: Path) -> None:
    events = [recorded("else.exe", "192.0.2.1", at=NOON + timedelta(days=days)) for days in range(30)]
    adapter = Counting(adapter_over(tmp_path, events))
    assert ask(adapter) == []
    assert len(adapter.asked) == 1


def test_names_and_hashes_are_asked_in_the_same_slices(tmp_path: Path) -> None:
    events = [recorded("a.exe", "192.0.2.1"), recorded("b.exe", "192.0.2.2", InitiatingProcessSHA1=SHA1)]
    adapter = adapter_over(tmp_path, events)
    question = Question(adapter, [*FILES, parse_file(SHA1)], ALWAYS, timeout=SECONDS, max_groups=10)
    assert {(row.file, row.ip) for row in question.rows(lambda asked: None)} == {
        ("a.exe", "192.0.2.1"),
        (SHA1, "192.0.2.2"),
    }


def test_every_row_comes_once_whatever_the_size_of_the_slices(tmp_path: Path) -> None:
    adapter = adapter_over(tmp_path, days_with(4, 4, 0, 4, 9, 4))
    whole = ask(adapter)
    assert len(whole) == 25
    assert texts(ask(adapter, max_groups=8)) == texts(whole)


def test_an_answer_that_is_too_large_is_split_into_days_and_parts(tmp_path: Path) -> None:
    whole = ask(adapter_over(tmp_path, days_with(1, 4)))
    adapter = Counting(LocalAdapter(StoreOf(tmp_path / "events.parquet"), max_rows=3))
    assert texts(ask(adapter)) == texts(whole)
    assert any("startswith" in query.text for query, _ in adapter.asked)


def test_a_window_that_ends_within_a_day_is_kept_to(tmp_path: Path) -> None:
    adapter = adapter_over(
        tmp_path,
        [recorded("a.exe", "192.0.2.1"), recorded("a.exe", "192.0.2.2", at=NOON + timedelta(hours=2))],
    )
    (row,) = ask(adapter, window=Window(until=NOON + timedelta(hours=1)))
    assert row.ip == "192.0.2.1"


def test_progress_begins_without_a_plan_and_ends_complete(tmp_path: Path) -> None:
    told: list[Asked] = []
    adapter = adapter_over(tmp_path, days_with(4, 4, 4))
    rows = list(Question(adapter, FILES, ALWAYS, timeout=SECONDS, max_groups=4).rows(told.append))
    assert told[0] == Asked()
    assert told[-1] == Asked(told[-1].slices, told[-1].slices, len(rows))
    assert told[-1].slices == 3


@pytest.mark.parametrize("error", [Truncated("too much"), TimedOut("too slow")])
def test_what_cannot_be_split_further_is_an_error(error: Exception) -> None:
    with pytest.raises(type(error)):
        ask(Scripted(error))


def test_a_partial_answer_never_passes_for_a_whole_one() -> None:
    with pytest.raises(Truncated):
        ask(Scripted(Answer(("x",), [], partial="E_QUERY_RESULT_SET_TOO_LARGE")))


def test_a_partial_plan_covers_nothing() -> None:
    with pytest.raises(Truncated, match="plan"):
        ask(Scripted(Answer((), []), plan_partial="cut"))


def test_an_answer_without_the_columns_is_rejected() -> None:
    with pytest.raises(Rejected) as caught:
        ask(Scripted(Answer(("Day",), [])))
    assert "DNS" in caught.value.said


def test_a_plan_that_cannot_be_read_is_rejected() -> None:
    with pytest.raises(Rejected):
        ask(Scripted(Answer((), []), plan_rows=[("soon", 1, 1, 1)]))
