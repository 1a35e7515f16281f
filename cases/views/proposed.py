"""The values of a case that something waits for a second person on."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from cases.models import Case, CaseFile, Decision
from cases.querysets import EXACT_KINDS
from cases.value_queryset import CaseValueQuerySet

# Proposals on names below a star and on networks that the filter looks at, the oldest that reach the case.
WIDE_AT_MOST = 50


def with_proposal(values: CaseValueQuerySet, case: Case) -> CaseValueQuerySet:
    """Those of the case on which a decision is proposed that reaches it, exactly or from around."""
    wide = list(Decision.objects.proposed().wide().covering(case).order_by("pk")[:WIDE_AT_MOST])
    exact = _exactly(values)
    if not wide:
        return exact
    # One set, so that the database begins with what is proposed and not with all values.
    around = [part.order_by().values("pk") for decision in wide for part in _around(values, decision)]
    return values.filter(pk__in=exact.order_by().values("pk").union(*around))


def _exactly(values: CaseValueQuerySet) -> CaseValueQuerySet:
    proposed = Decision.objects.proposed().filter(subject_kind__in=EXACT_KINDS)
    named = CaseFile.objects.filter(
        case=OuterRef(OuterRef("case")), kind=OuterRef("file_kind"), key=OuterRef("file_key")
    )
    here = Q(scope="everywhere") | Q(case=OuterRef("case")) | Q(Q(scope="file") & Exists(named))
    return values.filter(Exists(proposed.filter(here, subject=OuterRef("value"))))


def _around(values: CaseValueQuerySet, decision: Decision) -> list[CaseValueQuerySet]:
    if decision.subject_kind == Decision.SubjectKind.NETWORK:
        return [values.addresses_in(decision.subject)]
    return [values.names_below(decision.subject), values.filter(kind="name", value=decision.subject)]
