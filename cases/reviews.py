"""What is due for review: of a case, of its values, and for the inbox."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from cases.models import Case, CaseFile, CaseValue, ReviewDue
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

# Shown one by one; confirming ends with the last one shown, so the next page brings the rest.
AT_MOST = 200


@dataclass(frozen=True, slots=True)
class FileReviews:
    """What is new about one file of a case."""

    file: CaseFile
    due: list[ReviewDue]

    @property
    def in_words(self) -> str:
        return counted(Counter(each.cause for each in self.due))

    @property
    def upto(self) -> int:
        return self.due[-1].pk


@dataclass(frozen=True, slots=True)
class ValueReviews:
    """What is new about one value of a case."""

    value: str
    due: list[ReviewDue]

    @property
    def ports(self) -> list[str]:
        return [each.what for each in self.due if each.cause == ReviewDue.Cause.PORT]

    @property
    def is_turned(self) -> bool:
        return any(each.cause == ReviewDue.Cause.OUTBOUND for each in self.due)

    @property
    def in_words(self) -> str:
        ports = sorted(self.ports, key=int)
        of_ports = f"new port{'s' if len(ports) > 1 else ''} {', '.join(ports)}" if ports else ""
        return "; ".join(filter(None, ["inbound turned outbound" if self.is_turned else "", of_ports]))

    @property
    def upto(self) -> int:
        return self.due[-1].pk


def counted(causes: Counter[str]) -> str:
    """ "2 new hashes, 1 new folder"."""
    return ", ".join(
        f"{count} {one if count == 1 else many}"
        for cause, (one, many) in _NEWS.items()
        if (count := causes[cause])
    )


_NEWS = {
    ReviewDue.Cause.OUTBOUND: ("inbound turned outbound", "inbound turned outbound"),
    ReviewDue.Cause.PORT: ("new port", "new ports"),
    ReviewDue.Cause.HASH: ("new hash", "new hashes"),
    ReviewDue.Cause.FOLDER: ("new folder", "new folders"),
}


def reviews_of_files(case: Case) -> list[FileReviews]:
    due = ReviewDue.objects.of_files(case).waiting().select_related("file").order_by("pk")
    found: dict[int, FileReviews] = {}
    for each in due[:AT_MOST]:
        if each.file is not None:
            found.setdefault(each.file.pk, FileReviews(each.file, [])).due.append(each)
    return list(found.values())


def reviews_of_values(case: Case, values: Sequence[str] | None = None) -> list[ValueReviews]:
    """Of these values, or of the first ones of the case."""
    due = ReviewDue.objects.of_values(case).waiting().order_by("pk")
    due = due[:AT_MOST] if values is None else due.filter(value__in=values)
    found: dict[str, list[ReviewDue]] = defaultdict(list)
    for each in due:
        found[each.value].append(each)
    return [ValueReviews(value, due) for value, due in found.items()]


def reviews_by_value(case: Case, values: Sequence[CaseValue]) -> dict[str, ValueReviews]:
    """Of those of a page that are decided, at least in part: no other value is ever due."""
    decided = [value.value for value in values if value.allowed or value.blocked]
    return {each.value: each for each in reviews_of_values(case, decided)} if decided else {}


class WaitingReviews(NamedTuple):
    """A line of the inbox: what is due for one file of a case, or for all of its values."""

    case: Case
    file: CaseFile | None
    causes: Counter[str]
    values: int
    first_value: str
    upto: int
    raised_at: datetime
    is_mine: bool

    @property
    def in_words(self) -> str:
        return counted(self.causes)


# Grouped first: cases and files are joined to few lines.
_WAITING = """
    SELECT g.*, coalesce(%(person)s IN (c.assignee_id, c.owner_id), false) AS is_mine, count(*) OVER ()
      FROM (SELECT case_id, file_id, count(*) FILTER (WHERE cause = 'hash') AS hashes,
                   count(*) FILTER (WHERE cause = 'folder') AS folders,
                   count(*) FILTER (WHERE cause = 'port') AS ports,
                   count(*) FILTER (WHERE cause = 'outbound') AS turned,
                   count(DISTINCT value) AS values, min(value) AS first_value,
                   max(id) AS upto, max(raised_at) AS raised_at
              FROM cases_reviewdue WHERE confirmed_at IS NULL GROUP BY case_id, file_id) g
      JOIN cases_case c ON c.id = g.case_id AND c.state = ANY(%(live)s)
     ORDER BY is_mine DESC, g.turned > 0 DESC, g.raised_at DESC, g.case_id, g.file_id LIMIT %(most)s
"""


def reviews_waiting_for(person: Person, at_most: int) -> tuple[list[WaitingReviews], int]:
    """What the person may confirm, in cases that are looked after, and how many lines there are in all."""
    if not may(person, Verb.DECIDE):
        return [], 0
    live = [str(state) for state in Case.LIVE]
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"person": person.pk, "live": live, "most": at_most})
        rows = cursor.fetchall()
    cases = Case.objects.select_related("owner", "assignee").in_bulk({row[0] for row in rows})
    files = CaseFile.objects.in_bulk({row[1] for row in rows if row[1]})
    lines = [
        WaitingReviews(
            cases[case],
            files.get(file),
            Counter({cause: count for cause, count in zip(_CAUSES, causes, strict=True) if count}),
            values if file is None else 0,
            first,
            upto,
            at,
            is_mine,
        )
        for case, file, *causes, values, first, upto, at, is_mine, _ in rows
    ]
    return lines, rows[0][-1] if rows else 0


_CAUSES = ("hash", "folder", "port", "outbound")
