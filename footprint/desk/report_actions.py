"""That a report left the house."""

from __future__ import annotations

from cases.case_actions import subject_of
from cases.models import Case
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, change


def note_download(*, actor: Person, case: Case, sha256: str, size: int) -> None:
    with change(actor=Actor.person(actor)) as ledger:
        ledger.add(
            Event.REPORT_DOWNLOADED,
            subject_of(case),
            case_number=case.pk,
            after={"sha256": sha256, "bytes": size, "tlp": case.tlp},
        )
