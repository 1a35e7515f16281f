"""What is new to a person: the values added to a case since they last had it open."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from cases.models import Case, CaseVisit
from footprint.accounts.models import Person


def seen(person: Person, case: Case) -> datetime | None:
    """Moves the visit to now and returns when the one before was; None on the first."""
    before = CaseVisit.objects.filter(person=person, case=case).values_list("at", flat=True).first()
    CaseVisit.objects.update_or_create(person=person, case=case, defaults={"at": timezone.now()})
    return before
