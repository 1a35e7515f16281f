"""A case as it stands: what was asked, what is proven, what was found, who decided what, what is open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

from cases.counting import ValuesOfCase, count_values
from cases.models import Batch, Case, CaseFile, CaseValue, Decision, Endpoint, Note, Proposal, Verdict
from footprint.desk.report_hunts import HuntAsked, hunts_asked
from footprint.ledger.models import Head

# So many are listed; the report says how many there are.
VALUES_LISTED = 200
DECISIONS_LISTED = 300
FILES_LISTED = 200
NOTES_LISTED = 100
PROPOSALS_LISTED = 100
_WAITING = "waiting"

# What somebody acts on comes first.
_ORDER = (Verdict.BLOCKED, Verdict.ALLOWED, Verdict.UNDECIDED)

_FILE_COUNTS = """
    SELECT file.id, v.verdict, count(*) FROM cases_casevalue v, unnest(v.file_ids) AS file (id)
     WHERE v.case_id = %s AND file.id = ANY(%s) GROUP BY file.id, v.verdict
"""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """`counts`: its values by verdict. A file that no hunt asks for was never looked for."""

    file: CaseFile
    counts: ValuesOfCase
    is_asked: bool


@dataclass(frozen=True, slots=True)
class FoundValue:
    """`because`: the numbers of the decisions that say its verdict, wherever they were made."""

    value: CaseValue
    because: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VerdictPart:
    verdict: str
    total: int
    listed: Sequence[FoundValue]

    @property
    def more(self) -> int:
        return self.total - len(self.listed)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Proposals that wait: of batches, each batch as one with how many, and others.

    `more` are the proposals that are not among these.
    """

    batches: Sequence[tuple[Batch, int]]
    proposals: Sequence[Proposal]
    more: int


@dataclass(frozen=True, slots=True)
class LedgerAt:
    """The end of the ledger when the report was begun; `until` is it at its end, when it moved meanwhile."""

    seq: int
    hash: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    case: Case
    made_at: datetime
    made_by: str
    files: Sequence[FoundFile]
    files_total: int
    hunts: Sequence[HuntAsked]
    counts: ValuesOfCase
    parts: Sequence[VerdictPart]
    decided_here: Sequence[Decision]
    decided_here_total: int
    decided_elsewhere: Sequence[Decision]
    waiting: Waiting
    notes: Sequence[Note] | None
    ledger: LedgerAt | None

    @property
    def is_proven(self) -> bool:
        """Whether what is not listed was not recorded: every hunt covers all its days, for every file."""
        covered = [hunt.coverage.is_full for hunt in self.hunts]
        return bool(covered) and all(covered) and all(found.is_asked for found in self.files)

    @property
    def files_more(self) -> int:
        return self.files_total - len(self.files)

    @property
    def decided_here_more(self) -> int:
        return self.decided_here_total - len(self.decided_here)

    @property
    def values_cut(self) -> bool:
        return any(part.more for part in self.parts)


def report_of(case: Case, *, made_by: str, with_notes: bool) -> Report:
    began = Head.objects.first()
    counts = count_values(case.pk)
    parts = [_part(case, verdict, counts) for verdict in _ORDER]
    here = Decision.objects.filter(made_in=case)
    people = ("proposer", "approver", "ended_by", "made_in")
    because = {pk for part in parts for found in part.listed for pk in found.because}
    elsewhere = Decision.objects.filter(pk__in=because).exclude(made_in=case)
    files = list(case.files.all())
    return Report(
        case=case,
        made_at=timezone.now(),
        made_by=made_by,
        files=_files(case, files[:FILES_LISTED]),
        files_total=len(files),
        hunts=hunts_asked(case, datetime.now(UTC).date()),
        counts=counts,
        parts=parts,
        decided_here=list(here.select_related(*people).order_by("-pk")[:DECISIONS_LISTED]),
        decided_here_total=here.count(),
        decided_elsewhere=list(elsewhere.select_related(*people).order_by("-pk")),
        waiting=_waiting(case),
        notes=_notes(case) if with_notes else None,
        ledger=_ledger_at(began),
    )


def _waiting(case: Case) -> Waiting:
    waiting = Proposal.objects.waiting().filter(decision__made_in=case)
    in_bulk = Batch.objects.filter(case=case).with_waiting().select_related("person").order_by("pk")
    batches = [(batch, getattr(batch, _WAITING)) for batch in in_bulk[:PROPOSALS_LISTED]]
    alone = waiting.outside_batches().select_related("decision", "proposer").order_by("pk")
    proposals = list(alone[:PROPOSALS_LISTED])
    if len(batches) < PROPOSALS_LISTED and len(proposals) < PROPOSALS_LISTED:
        return Waiting(batches, proposals, 0)
    more = waiting.count() - sum(count for _, count in batches) - len(proposals)
    return Waiting(batches, proposals, max(0, more))


def _part(case: Case, verdict: Verdict, counts: ValuesOfCase) -> VerdictPart:
    listed = CaseValue.objects.filter(case=case, verdict=verdict).order_by("-events", "-pk")
    values = list(listed[:VALUES_LISTED])
    because = _because(case, [value.value for value in values])
    found = [FoundValue(value, tuple(sorted(because[value.value]))) for value in values]
    return VerdictPart(verdict.value, max(counts.of(verdict), len(found)), found)


def _because(case: Case, values: Sequence[str]) -> dict[str, set[int]]:
    rows = Endpoint.objects.filter(case=case, value__in=values).order_by()
    pairs = rows.values_list("value", "name_decision", "address_decision").distinct()
    found: dict[str, set[int]] = defaultdict(set)
    for value, of_name, of_address in pairs:
        found[value] |= {of_name, of_address} - {None}
    return found


def _files(case: Case, files: Iterable[CaseFile]) -> list[FoundFile]:
    listed = list(files)
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(_FILE_COUNTS, [case.pk, [file.pk for file in listed]])
        for file_id, verdict, count in cursor.fetchall():
            counted[file_id][verdict] = count
    asked = set(CaseFile.objects.filter(case=case, hunts__isnull=False).values_list("pk", flat=True))
    return [FoundFile(file, ValuesOfCase(**counted[file.pk]), file.pk in asked) for file in listed]


def _notes(case: Case) -> list[Note]:
    """Those that are not removed, oldest first."""
    notes = Note.objects.filter(case=case, removed_at=None).select_related("author")
    return list(notes.order_by("pk")[:NOTES_LISTED])


def _ledger_at(began: Head | None) -> LedgerAt | None:
    if began is None:
        return None
    now = Head.objects.values_list("seq", flat=True).get()
    return LedgerAt(began.seq, bytes(began.hash).hex(), now if now != began.seq else None)
