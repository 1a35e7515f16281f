"""Confirming what is due for review: a person has looked, and the verdicts stay as they are."""

from __future__ import annotations

from django.db.models.functions import Now

from cases.models import Case, CaseFile, ReviewDue
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change

# What an entry names one by one; the rest is counted.
_NAMED = 100


def confirm_of_file(*, actor: Person, case: Case, file: CaseFile, upto: int) -> int:
    """All that is due for a file. `upto` is the latest that the person was shown: what came since stays."""
    with change(actor=Actor.person(actor)) as ledger:
        due = ReviewDue.objects.of_files(case).filter(file=file)
        return _confirm(ledger, actor, case, Subject("file", str(file.pk), file.text), due.upto(upto))


def confirm_of_value(*, actor: Person, case: Case, value: str, upto: int) -> int:
    """As `confirm_of_file`, for one value."""
    with change(actor=Actor.person(actor)) as ledger:
        due = ReviewDue.objects.of_values(case).filter(value=value)
        return _confirm(ledger, actor, case, Subject("value", value, value), due.upto(upto))


def confirm_of_values(*, actor: Person, case: Case, upto: int) -> int:
    """As `confirm_of_file`, for all values of the case."""
    with change(actor=Actor.person(actor)) as ledger:
        due = ReviewDue.objects.of_values(case)
        return _confirm(ledger, actor, case, Subject("case", str(case.pk), case.title), due.upto(upto))


def _confirm(ledger: Change, actor: Person, case: Case, subject: Subject, due: list[ReviewDue]) -> int:
    if not due:
        return 0
    ReviewDue.objects.filter(pk__in=[each.pk for each in due]).update(confirmed_at=Now(), confirmed_by=actor)
    ledger.add(
        Event.REVIEW_CONFIRMED,
        subject,
        case_number=case.pk,
        after={
            "confirmed": len(due),
            "news": [f"{each} of {each.value}" if each.value else str(each) for each in due[:_NAMED]],
        },
    )
    return len(due)
