"""What the queue shows of each value, gathered with a fixed number of queries per page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Sum

from cases.deciders import deciders_of
from cases.known.matching import known_hits
from cases.models import Case, CaseValue, Decision, Endpoint, Proposal
from cases.reviews import ValueReviews, reviews_by_value
from cases.row_versions import row_version
from cases.settling import waiting_values
from cases.views.editor import Editor
from cases.views.marks import Mark, marks_of_decisions, marks_of_lists, marks_of_others, marks_of_reviews
from cases.waiting import proposals_on, wide_sum
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

PAIRS_AT_MOST = 100
_LOOKED_AT_MOST = 1_000
_EVENTS = "events_recorded"


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
    # The decision that gives the row its verdict, and whether the reader made it.
    decision: Decision | None
    is_mine: bool
    # The reader's own on exactly this value, which they may undo from here.
    own: Decision | None
    # Changes with everything about the row that a colleague or a run may change.
    version: str
    # What waits for a second person, and the endpoints whose verdict is old until they are settled.
    proposal: Proposal | None = None
    unsettled: int = 0
    file_names: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    reviews: ValueReviews | None = None
    editor: Editor | None = None
    pairs: Pairs | None = None

    @property
    def may_undo(self) -> bool:
        return self.own is not None

    @property
    def more_files(self) -> int:
        return max(0, len(self.file_names) - 1)


def rows_of(
    case: Case,
    values: Sequence[CaseValue],
    *,
    person: Person,
    new_since: datetime | None,
    is_settling: bool = True,
) -> list[Row]:
    """`is_settling` is false where it is known that no endpoint of the case waits to be settled."""
    files = {file.pk: file for file in case.files.all()}
    texts = [value.value for value in values]
    deciders = deciders_of(case, values)
    decisions, by_id = _decisions(values, deciders.values())
    proposals = proposals_on(case, texts)
    unsettled = waiting_values(case.pk, texts) if is_settling else Counter[str]()
    known = known_hits([value.exact_subject for value in values])
    others = marks_of_others(case, values)
    reviews = reviews_by_value(case, values)
    named = {(file.kind, file.key) for file in files.values()}
    may_decide = case.is_live and may(person, Verb.PROPOSE, case)
    rows = []
    for value in values:
        on_value = decisions.get(value.value, [])
        reaching = [each for each in on_value if _reaches(each, case, named)]
        decider = by_id.get(deciders.get(value.value, 0))
        rows.append(
            Row(
                value=value,
                is_new=new_since is not None and value.added_at > new_since,
                may_decide=may_decide,
                decision=decider,
                is_mine=decider is not None and decider.proposer_id == person.pk,
                own=_own(person, reaching, decider if not unsettled[value.value] else None),
                proposal=next(iter(proposals[value.value]), None),
                unsettled=unsettled[value.value],
                version=row_version(
                    value.version,
                    sum(decision.pk for decision in on_value) + wide_sum(proposals[value.value]),
                    is_settling=unsettled[value.value] > 0,
                    decider=deciders.get(value.value),
                ),
                file_names=[files[pk].text for pk in value.file_ids if pk in files],
                reviews=reviews.get(value.value),
                marks=[
                    *marks_of_reviews(reviews.get(value.value)),
                    *marks_of_lists(known.get(value.exact_subject, ())),
                    *marks_of_decisions(case, on_value, decider),
                    *others.get(value.value, ()),
                ],
            )
        )
    return rows


def _own(person: Person, reaching: Sequence[Decision], decider: Decision | None) -> Decision | None:
    """The reader's decision among those on exactly the value that reach the case.

    Where nothing decides the row, or not for long, it is the last one that was made: no other can be undone.
    """
    if decider is None:
        decider = max(reaching, key=lambda each: (each.made_at, each.pk), default=None)
    is_own = decider is not None and decider in reaching and decider.proposer_id == person.pk
    return decider if is_own else None


def _reaches(decision: Decision, case: Case, named: Collection[tuple[str, str]]) -> bool:
    """Whether it is in force and its scope reaches into the case, which names these files."""
    return decision.state == Decision.State.IN_FORCE and (
        decision.scope == Decision.Scope.EVERYWHERE
        or decision.case_id == case.pk
        or (decision.file_kind, decision.file_key) in named
    )


def _decisions(
    values: Sequence[CaseValue], deciders: Iterable[int]
) -> tuple[dict[str, list[Decision]], dict[int, Decision]]:
    """In force or proposed on exactly these values, in all cases and scopes; and by id also the deciders."""
    made = Decision.objects.on_values([value.value for value in values]).living()
    if others := set(deciders):
        made |= Decision.objects.filter(pk__in=others)
    by_id = {each.pk: each for each in made.select_related("proposer", "approver").order_by("pk")}
    texts = {value.value for value in values}
    found: dict[str, list[Decision]] = defaultdict(list)
    for decision in by_id.values():
        if decision.subject in texts and decision.is_living and not decision.as_subject.is_wide:
            found[decision.subject].append(decision)
    return found, by_id


def pairs_of(value: CaseValue) -> Pairs:
    return Pairs(busiest_pairs(value, PAIRS_AT_MOST), value.endpoints)


def busiest_pairs(value: CaseValue, at_most: int) -> list[Pair]:
    """The endpoints under a value with their files, those with most events first.

    Of a value with more endpoints than anybody reads, the busiest of those that were looked at.
    """
    looked_at = Endpoint.objects.of_value(value).values("pk")[:_LOOKED_AT_MOST]
    endpoints = Endpoint.objects.filter(pk__in=looked_at).select_related("file")
    counted = endpoints.annotate(**{_EVENTS: Sum("sightings__events")}).order_by(f"-{_EVENTS}", "pk")
    return [Pair(endpoint, getattr(endpoint, _EVENTS) or 0) for endpoint in counted[:at_most]]
