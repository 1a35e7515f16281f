"""What the queue shows of each value, gathered with a fixed number of queries per page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet, Sum

from cases.forms import DecideForm
from cases.models import Case, CaseValue, Decision, Endpoint
from cases.verdicts.precedence import SCOPE_RANK, Scope
from cases.views.reach import Reach
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

PAIRS_AT_MOST = 100
_EVENTS = "events_recorded"


@dataclass(slots=True)
class Editor:
    """The form under a row, with what the decision would touch."""

    form: DecideForm
    verdict: str
    reach: Reach
    in_force: list[Decision]
    last_reason: str

    @property
    def is_block(self) -> bool:
        return self.verdict == "blocked"


@dataclass(slots=True)
class Pair:
    """An endpoint with the events recorded for it on all days and at all sources."""

    endpoint: Endpoint
    events: int

    @property
    def devices_cut(self) -> bool:
        return "devices" in self.endpoint.more


@dataclass(slots=True)
class Pairs:
    shown: list[Pair]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.shown)


@dataclass(slots=True)
class Row:
    value: CaseValue
    is_new: bool
    may_decide: bool
    # The decision that governs the value by its exact text, and whether the reader made it.
    decision: Decision | None
    is_mine: bool
    file_names: list[str] = field(default_factory=list)
    editor: Editor | None = None
    pairs: Pairs | None = None

    @property
    def more_files(self) -> int:
        return max(0, len(self.file_names) - 1)


def rows_of(
    case: Case, values: Sequence[CaseValue], *, person: Person, new_since: datetime | None
) -> list[Row]:
    decisions = governing(case, [value.value for value in values])
    files = _files_of(case, values)
    may_decide = case.is_live and may(person, Verb.DECIDE, case)
    return [
        Row(
            value=value,
            is_new=new_since is not None and value.added_at > new_since,
            may_decide=may_decide,
            decision=decisions.get(value.value),
            is_mine=value.value in decisions and decisions[value.value].proposer_id == person.pk,
            file_names=files.get(value.value, []),
        )
        for value in values
    ]


def in_force_on(case: Case, values: Sequence[str]) -> QuerySet[Decision]:
    """The decisions in force whose subject is exactly one of the values and that reach this case."""
    found = Decision.objects.in_force().on_values(values).covering(case)
    return found.select_related("proposer", "made_in").order_by("pk")


def governing(case: Case, values: Sequence[str]) -> dict[str, Decision]:
    found: dict[str, Decision] = {}
    for decision in in_force_on(case, values):
        other = found.get(decision.subject)
        if other is None or SCOPE_RANK[Scope(decision.scope)] > SCOPE_RANK[Scope(other.scope)]:
            found[decision.subject] = decision
    return found


def _files_of(case: Case, values: Sequence[CaseValue]) -> dict[str, list[str]]:
    """The files that talk to each value. One file in the case needs no question."""
    files = {file.pk: file.text for file in case.files.all()}
    if len(files) == 1:
        return {value.value: list(files.values()) for value in values}
    pairs = Endpoint.objects.filter(case=case, value__in=[value.value for value in values])
    found: dict[str, list[str]] = defaultdict(list)
    for value, file_id in pairs.order_by("file_id").values_list("value", "file_id").distinct():
        found[value].append(files[file_id])
    return found


def pairs_of(value: CaseValue) -> Pairs:
    return Pairs(busiest_pairs(value, PAIRS_AT_MOST), value.endpoints)


def busiest_pairs(value: CaseValue, at_most: int) -> list[Pair]:
    """The endpoints under a value with their files, those with most events first."""
    endpoints = Endpoint.objects.of_value(value).select_related("file")
    counted = endpoints.annotate(**{_EVENTS: Sum("sightings__events")}).order_by(f"-{_EVENTS}", "pk")
    return [Pair(endpoint, getattr(endpoint, _EVENTS) or 0) for endpoint in counted[:at_most]]
