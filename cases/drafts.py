"""A decision as a person considers it: not saved, with what it would change and why it may need two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from cases.deciding import new_decision, preview_of, preview_of_end, subject_for
from cases.models import Case, CaseFile, CaseValue, Decision, Proposal
from cases.places import proposed_in_the_place_of
from cases.proposals import preview_now
from cases.second_person import why_not_alone
from cases.verdicts import precedence
from cases.verdicts.four_eyes import needs_lead
from cases.verdicts.preview import ROWS_SHOWN, Preview
from cases.verdicts.subject import shown_form
from footprint.accounts.models import Person

LINES_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Line:
    """A case or a file with the endpoints that would change, by move in the order of `Look.moves`."""

    number: int
    title: str
    counts: Sequence[int]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class ChangingRow:
    case_id: int
    value: str
    before: str
    after: str
    endpoints: int
    title: str


@dataclass(slots=True)
class Look:
    """What a change of decisions would do. `why` says why it needs a second person."""

    decision: Decision
    preview: Preview
    why: Sequence[str]
    cases: list[Line] = field(default_factory=list)
    files: list[Line] = field(default_factory=list)
    rows: list[ChangingRow] = field(default_factory=list)
    proposed: Decision | None = None

    @property
    def moves(self) -> list[tuple[str, str, int]]:
        return self.preview.by_verdicts

    @property
    def is_wide(self) -> bool:
        return self.decision.as_subject.is_wide

    @property
    def takes_lead(self) -> bool:
        return needs_lead(self.decision.as_subject, precedence.Scope(self.decision.scope))

    @property
    def covers(self) -> str:
        return self.decision.as_subject.in_words()

    @property
    def shown_form(self) -> str:
        """How an IDN looks to people, where that differs."""
        return shown_form(self.decision.subject)

    @property
    def more_cases(self) -> int:
        return max(0, len(self.preview.cases) - len(self.cases))

    @property
    def more_files(self) -> int:
        return max(0, len(self.preview.files) - len(self.files))

    @property
    def more_rows(self) -> int:
        return max(0, self.preview.values - len({(row.case_id, row.value) for row in self.rows}))


def draft(
    *, person: Person, value: CaseValue, typed: str, verdict: str, scope: str, file: CaseFile | None
) -> Decision:
    """Raises CannotDecide as deciding would, but for the reason, which is not given yet."""
    return new_decision(
        case=value.case,
        subject=subject_for(value, typed),
        verdict=verdict,
        scope=scope,
        file=file,
        reason="Not given yet",
        expires_at=None,
        proposer=person,
    )


def look_at_draft(person: Person, decision: Decision) -> Look:
    look = _look(decision, preview_of(decision, rows=ROWS_SHOWN), why_not_alone(person, decision))
    look.proposed = proposed_in_the_place_of(decision)
    return look


def look_at_end(person: Person, decision: Decision) -> Look:
    return _look(decision, preview_of_end(decision, rows=ROWS_SHOWN), why_not_alone(person, decision))


def look_at_proposal(proposal: Proposal) -> Look:
    return _look(proposal.decision, preview_now(proposal, rows=ROWS_SHOWN), proposal.why)


def _look(decision: Decision, preview: Preview, why: Sequence[str]) -> Look:
    order = {(before, after): place for place, (before, after, _) in enumerate(preview.by_verdicts)}
    by_case: dict[int, list[int]] = defaultdict(lambda: [0] * len(order))
    by_file: dict[str, list[int]] = defaultdict(lambda: [0] * len(order))
    shown_cases = [case for case, _ in preview.cases[:LINES_AT_MOST]]
    named = {*shown_cases, *(row.case_id for row in preview.rows)}
    titles = dict(Case.objects.filter(pk__in=named).values_list("pk", "title"))
    texts = dict(CaseFile.objects.filter(pk__in=dict(preview.files)).values_list("pk", "text"))
    for move in preview.moves:
        place = order[move.before, move.after]
        by_case[move.case_id][place] += move.endpoints
        by_file[texts.get(move.file_id, "")][place] += move.endpoints
    busiest = Counter({text: sum(counts) for text, counts in by_file.items()}).most_common(LINES_AT_MOST)
    return Look(
        decision=decision,
        preview=preview,
        why=why,
        cases=[Line(case, titles.get(case, ""), by_case[case]) for case in shown_cases],
        files=[Line(0, text, by_file[text]) for text, _ in busiest],
        rows=[
            ChangingRow(
                row.case_id, row.value, row.before, row.after, row.endpoints, titles.get(row.case_id, "")
            )
            for row in preview.rows
        ],
    )
