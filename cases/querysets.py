from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import connection, models
from django.db.models import Case as Clause
from django.db.models import Count, Exists, F, OuterRef, Q, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest, Lower, Now
from django.db.models.lookups import Contains

from cases.proposal_queryset import WIDE_KINDS
from cases.verdicts.subject import Subject, networks_around, suffixes_of
from footprint.accounts.may import Verb, may

if TYPE_CHECKING:
    from cases.models import Batch, Case, CaseValue, Decision, Endpoint  # some are named in strings only
    from footprint.accounts.models import Person

_AROUND = (
    """EXISTS (SELECT 1 FROM unnest(%s::inet[]) covered(at) WHERE covered.at <<= cases_decision.network)"""
)

# The model ValueCount says what is summed.
_ALL_VALUES = """
    (SELECT coalesce(sum(c.change), 0)::bigint FROM cases_valuecount c WHERE c.case_id = cases_case.id)
"""
_OPEN_VALUES = """
    (SELECT coalesce(sum(c.change), 0)::bigint FROM cases_valuecount c
      WHERE c.case_id = cases_case.id AND c.verdict = 'undecided')
"""

_PAST = Q(state="in force", expires_at__lte=Now())
_UNEXPIRED = Q(expires_at__isnull=True) | Q(expires_at__gt=Now())

# Subjects that are one value, letter by letter. Their texts never collide across kinds.
EXACT_KINDS = ("name", "address", "text")


def _around(subject: Subject) -> Q:
    """What covers the whole of it: stars above a name, networks around an address or a network."""
    match subject.kind:
        case "address" | "network":
            return Q(subject_kind="network", network__in=networks_around(subject.text))
        case "text":
            return Q(pk__in=())
        case _:
            return Q(subject_kind="below", subject__in=suffixes_of(subject.text))


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> CaseQuerySet:
        return self.filter(state="open")

    def live(self) -> CaseQuerySet:
        """Open or watching: hunts are asked, values decided."""
        return self.filter(state__in=["open", "watching"])

    def at_hand_of(self, person: Person) -> CaseQuerySet:
        """Assigned to the person, or theirs and assigned to nobody."""
        return self.filter(Q(assignee=person) | Q(owner=person, assignee=None))

    def with_people(self) -> CaseQuerySet:
        """With everybody whom the head of a case names."""
        return self.select_related("owner", "assignee", "state_by")

    def naming(self, kind: str, key: str) -> CaseQuerySet:
        """The cases that name this file."""
        return self.filter(files__kind=kind, files__key=key)

    def with_counts(self) -> CaseQuerySet:
        """Adds `values_open` and `values_all`, from kept counts."""
        return self.annotate(
            values_all=RawSQL(_ALL_VALUES, [], output_field=models.BigIntegerField()),  # noqa: S611  # a constant
            values_open=RawSQL(_OPEN_VALUES, [], output_field=models.BigIntegerField()),  # noqa: S611  # a constant
        )


class DecisionQuerySet(models.QuerySet["Decision"]):
    def in_force(self) -> DecisionQuerySet:
        """By the clock: a decision past its expiry no longer counts, whatever its state column still says."""
        return self.filter(_UNEXPIRED, state="in force")

    def living(self) -> DecisionQuerySet:
        """In force or proposed, as the state column says."""
        return self.filter(state__in=["in force", "proposed"])

    def proposed(self) -> DecisionQuerySet:
        return self.filter(state="proposed")

    def in_force_or_proposed(self) -> DecisionQuerySet:
        return self.filter(Q(state="proposed") | Q(_UNEXPIRED, state="in force"))

    def wide(self) -> DecisionQuerySet:
        return self.filter(subject_kind__in=WIDE_KINDS)

    def past_expiry(self) -> DecisionQuerySet:
        return self.filter(_PAST)

    def everywhere(self) -> DecisionQuerySet:
        return self.filter(scope="everywhere")

    def on_values(self, values: Sequence[str]) -> DecisionQuerySet:
        """Those whose subject is exactly one of the values."""
        return self.filter(subject__in=values, subject_kind__in=EXACT_KINDS)

    def matching(self, names: Sequence[str], addresses: Sequence[str]) -> DecisionQuerySet:
        """Those whose subject covers one of the values: exactly, as a name above it, or as its network."""
        exact = Q(subject__in=[*names, *addresses], subject_kind__in=EXACT_KINDS)
        above = Q(
            subject__in={suffix for name in names for suffix in suffixes_of(name)}, subject_kind="below"
        )
        around = RawSQL(_AROUND, [list(addresses)], output_field=models.BooleanField())  # noqa: S611  # a constant
        return self.filter(exact | above | Q(Q(subject_kind="network") & Q(around)))

    def about(self, subject: Subject | None, text: str) -> DecisionQuerySet:
        """What a search means: subjects that contain the text, and what covers the subject if it is one."""
        texts = {text.lower(), subject.text.lower() if subject else text.lower()}
        found = Q(*(Contains(Lower("subject"), each) for each in sorted(texts)), _connector=Q.OR)
        if subject is not None:
            found |= Q(subject=subject.text) | _around(subject)
        return self.filter(found)

    def last_changed(self) -> Decision | None:
        """The one that was made or ended last, by a person or the clock, of those that ever were in force."""
        over = When(_PAST, then=F("expires_at"))
        changed_at = Greatest("made_at", "ended_at", Clause(over, output_field=models.DateTimeField()))
        changed = self.exclude(state="proposed").that_came_to_be()
        return changed.order_by(changed_at.desc(), "-pk").first()

    def that_came_to_be(self) -> DecisionQuerySet:
        """Without what was proposed and then rejected or taken back."""
        # In one filter, so that both are said of the same proposal: an exclude would take them apart.
        never = self.model.objects.filter(
            pk=OuterRef("pk"), proposals__kind="make", proposals__state__in=("rejected", "taken back")
        )
        return self.filter(~Exists(never))

    def on(self, subject: Subject) -> DecisionQuerySet:
        """Those on exactly this subject."""
        return self.filter(subject=subject.text, subject_kind=subject.kind)

    def covering_subject(self, subject: Subject) -> DecisionQuerySet:
        """Those whose subject is another one and covers this one."""
        return self.filter(_around(subject)).exclude(subject_kind=subject.kind, subject=subject.text)

    def covering(self, case: Case) -> DecisionQuerySet:
        """Those whose scope reaches into the case: its own, everywhere, and those for a file it names."""
        named = case.files.filter(kind=OuterRef("file_kind"), key=OuterRef("file_key"))
        return self.filter(Q(scope="everywhere") | Q(case=case) | Q(Q(scope="file") & Exists(named)))


_BATCH_UNDERWAY = """
    SELECT max(b.id) FROM cases_batch b WHERE b.case_id = %s AND b.state IN ('queued', 'running')
"""


class BatchQuerySet(models.QuerySet["Batch"]):
    def confirmed(self) -> BatchQuerySet:
        return self.exclude(state="draft")

    def underway(self) -> BatchQuerySet:
        return self.filter(state__in=("queued", "running"))

    def underway_in(self, case_id: int) -> Batch | None:
        """The one of this case: asked for by every page of its queue, and mostly there is none."""
        with connection.cursor() as cursor:
            cursor.execute(_BATCH_UNDERWAY, [case_id])
            found = cursor.fetchone()[0]
        return self.select_related("person").get(pk=found) if found else None

    def waiting_for(self, person: Person) -> BatchQuerySet:
        """Those whose proposals the person may answer: never their own."""
        if not may(person, Verb.APPROVE):
            return self.none()
        ended = self.filter(state__in=("done", "stopped", "failed"))
        return ended.exclude(person=person.pk).with_waiting()

    def with_waiting(self) -> BatchQuerySet:
        """Those with proposals that nobody has answered; adds `waiting`, how many."""
        waiting = Q(decisions__proposals__state="waiting", decisions__proposals__kind="make")
        return self.filter(waiting).annotate(waiting=Count("decisions__proposals", filter=waiting))


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def unsettled(self) -> EndpointQuerySet:
        return self.filter(settled=False)

    def first_of(self, at_most: int) -> EndpointQuerySet:
        """Any so many of them, to be counted without reading all."""
        return self.model.objects.filter(pk__in=self.order_by().values("pk")[:at_most])

    def of_value(self, value: CaseValue) -> EndpointQuerySet:
        return self.filter(case=value.case_id, value=value.value)

    def covered_by(self, value: CaseValue) -> EndpointQuerySet:
        """In all cases: what a decision everywhere on the value would reach. An address also beside names."""
        if value.kind == "address":
            return self.filter(Q(ip=value.value) | Q(dns_ip=value.value))
        # Where there is a name it is the value, and the value has the index.
        return self.filter(value=value.value, value_kind=value.kind)
