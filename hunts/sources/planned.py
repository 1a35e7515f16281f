"""A whole question in one go: planned, asked slice by slice, split where an answer is too large.

For questions without a case. The runs of a hunt do the same in steps that survive a lost worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hunts.kql.cells import UnreadableCell
from hunts.kql.files import AskedFile
from hunts.kql.footprint import footprint_query, split_by_kind
from hunts.kql.plan import Plan, plan_query, plan_slices, read_plan
from hunts.kql.rows import MissingColumn, Row, read_rows
from hunts.kql.window import ONE_DAY, Window
from hunts.sources.base import Adapter
from hunts.sources.errors import Rejected, TimedOut, Truncated

_HEX = "0123456789abcdef"
_LONGEST_PART = 2


@dataclass(frozen=True)
class Asked:
    """How far it is; `slices` is 0 until the plan is there."""

    done: int = 0
    slices: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Question:
    adapter: Adapter
    files: Sequence[AskedFile]
    window: Window
    # Per query that is sent.
    timeout: float
    max_groups: int

    def rows(self, tell: Callable[[Asked], None]) -> Iterator[Row]:
        """Oldest slice first. Raises the errors of `hunts.sources.errors`."""
        tell(Asked())
        plan = self._plan()
        rows = 0
        for done, planned in enumerate(plan.slices):
            tell(Asked(done, len(plan.slices), rows))
            window = Window.days(planned.first, planned.last).clip(self.window)
            for group in split_by_kind(self.files):
                for row in self._slice(group, window):
                    rows += 1
                    yield row
        tell(Asked(len(plan.slices), len(plan.slices), rows))

    def _plan(self) -> Plan:
        query = plan_query(self.files, self.window, self.adapter.dialect)
        answer = self.adapter.ask(query, self.window, timeout=self.timeout)
        if answer.partial is not None:
            raise Truncated("The plan came back incomplete, and proves nothing.", said=answer.partial)
        with _understood():
            return plan_slices(read_plan(answer.rows), self.window, self.max_groups)

    def _slice(self, files: Sequence[AskedFile], window: Window, part: str = "") -> Iterator[Row]:
        try:
            rows = self._ask(files, window, part)
        except (Truncated, TimedOut):
            pieces = _pieces(window, part)
            if not pieces:
                raise
            for smaller_window, smaller_part in pieces:
                yield from self._slice(files, smaller_window, smaller_part)
        else:
            yield from rows

    def _ask(self, files: Sequence[AskedFile], window: Window, part: str) -> list[Row]:
        query = footprint_query(files, window, self.adapter.dialect, part)
        answer = self.adapter.ask(query, window, timeout=self.timeout)
        if answer.partial is not None:
            raise Truncated("The answer came back incomplete.", said=answer.partial)
        with _understood():
            return list(read_rows(answer.columns, answer.rows, {file.key for file in files}))


def _pieces(window: Window, part: str) -> list[tuple[Window, str]]:
    """Half the days each; a single day in sixteen parts, and those in sixteen again."""
    first, last = window.first_day, window.last_day
    if not part and first is not None and last is not None and first < last:
        middle = first + (last - first) // 2
        halves = (Window.days(first, middle), Window.days(middle + ONE_DAY, last))
        return [(half.clip(window), "") for half in halves]
    return [(window, part + digit) for digit in _HEX] if len(part) < _LONGEST_PART else []


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (UnreadableCell, MissingColumn) as error:
        raise Rejected("The answer is not what was asked for.", said=str(error)) from error
