"""Reading a list into an intake: every line is kept with what it is; nothing is decided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.db import connection

from cases.intakes.examining import examine
from cases.lists import ListError, Readable, ReadLine, choose, decoded, read_list
from cases.models import Intake, IntakeLine
from cases.observed import visible
from cases.refusals import RefusedAt
from cases.verdicts.subject import Subject

LARGEST_BYTES = 10_000_000
MOST_LINES = 100_000
_COPY = """
    COPY cases_intakeline (intake_id, place, number, text, kind, subject, network, finding, why, outcome)
    FROM STDIN
"""


class CannotTakeIn(RefusedAt):
    """Nothing was kept."""


def fill(intake: Intake, content: bytes, reader: str) -> None:
    """Saves the intake with all its lines; raises CannotTakeIn."""
    if len(content) > LARGEST_BYTES:
        raise CannotTakeIn("", f"A list has at most {LARGEST_BYTES // 1_000_000} MB.")
    try:
        text = decoded(content)
        chosen = choose(text, reader)
        read = list(read_list(text, chosen))
    except ListError as error:
        raise CannotTakeIn("", str(error)) from error
    entries = [line for line in read if line.readable is not Readable.ASIDE]
    if not entries:
        raise CannotTakeIn("", "The list is empty: no line but comments and empty ones.")
    if len(entries) > MOST_LINES:
        raise CannotTakeIn("", f"The list has {len(entries):,} lines; at most {MOST_LINES:,} are taken in.")
    intake.name = visible(intake.name)[:255]
    intake.reader, intake.size = chosen.slug, len(content)
    intake.sha256 = hashlib.sha256(content).hexdigest()
    intake.lines, intake.asides = len(entries), len(read) - len(entries)
    intake.save()
    with connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for row in _rows(intake, entries):
                copy.write_row(row)
        cursor.execute("ANALYZE cases_intakeline")
    examine(intake)


def _rows(intake: Intake, entries: list[ReadLine]) -> Iterator[tuple[object, ...]]:
    lines: dict[Subject, int] = {}
    for place, line in enumerate(entries, start=1):
        subject = line.subject
        finding, why = _finding(line, intake.verdict)
        if subject is not None and finding == IntakeLine.Finding.NEW:
            if subject in lines:
                finding, why = IntakeLine.Finding.REPEATED, f"It stands in line {lines[subject]:,} already."
            lines.setdefault(subject, line.number)
        yield (
            *(intake.pk, place, line.number, line.text),
            *(subject.kind.value if subject else "", subject.text if subject else ""),
            subject.text if subject and subject.kind in {"address", "network"} else None,
            *(finding.value, why, ""),
        )


def _finding(line: ReadLine, verdict: str) -> tuple[IntakeLine.Finding, str]:
    """Before it is examined beside the decisions in force."""
    if line.readable is Readable.TOO_WIDE:
        return IntakeLine.Finding.TOO_WIDE, line.why
    if line.subject is None:
        return IntakeLine.Finding.UNREADABLE, line.why
    if line.says and line.says != verdict:
        return IntakeLine.Finding.OTHERWISE, f"The list itself says {line.says}."
    return IntakeLine.Finding.NEW, ""
