"""Verifications asked for on the page: a row that says how far it is, carried out by a worker."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import current_app
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError

from footprint.accounts.models import Person
from footprint.ledger.chain import BrokenChain
from footprint.ledger.events import Event
from footprint.ledger.models import Head, Verification
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.verify import verify

log = structlog.get_logger("footprint.security")

# One that has not moved for so long has lost its worker, or never found one.
STUCK = timedelta(minutes=2)


def ask_verification(*, actor: Person) -> Verification:
    """One at a time: whoever asks while one is underway gets that one. The caller sends the hint."""
    with change(actor=Actor.person(actor)) as ledger:
        underway = Verification.objects.filter(ended_at=None, moved_at__gt=timezone.now() - STUCK).first()
        if underway is not None:
            return underway
        verification = Verification.objects.create(asked_by=actor, total=Head.objects.get().seq)
        ledger.add(Event.VERIFICATION_ASKED, subject_of(verification))
    return verification


def hint(verification: Verification) -> bool:
    """Whether the broker took the message."""
    try:
        current_app.send_task("footprint.ledger.tasks.verify", args=[verification.pk])
    except OperationalError:
        log.warning("broker_unreachable", verification=verification.pk)
        return False
    return True


def carry_out(verification_id: int) -> None:
    verification = Verification.objects.select_related("asked_by").get(pk=verification_id)
    if verification.ended_at is not None:
        return

    def moved(checked: int, total: int) -> None:
        Verification.objects.filter(pk=verification_id).update(checked=checked, total=total, moved_at=Now())

    try:
        proven = verify(progress=moved)
    except BrokenChain as error:
        log.error("ledger_broken", seq=error.seq, why=error.why)
        _finish(verification, said="", fault=error.why, fault_seq=error.seq)
    else:
        _finish(verification, said=proven.in_words(), fault="", fault_seq=None)


def _finish(verification: Verification, *, said: str, fault: str, fault_seq: int | None) -> None:
    with change(actor=Actor.person(verification.asked_by)) as ledger:
        ended = Verification.objects.filter(pk=verification.pk, ended_at=None).update(
            ended_at=Now(), moved_at=Now(), said=said, fault=fault, fault_seq=fault_seq
        )
        if ended:
            ledger.add(
                Event.VERIFICATION_FINISHED,
                subject_of(verification),
                after={"holds": fault_seq is None, "said": said, "fault": fault, "entry": fault_seq},
            )


def subject_of(verification: Verification) -> Subject:
    return Subject("verification", str(verification.pk), f"verification {verification.pk}")
