"""Verifications asked for on the page: a row that says how far it is, carried out by a worker."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from footprint.accounts.models import Person
from footprint.ledger.chain import BrokenChain
from footprint.ledger.events import Event
from footprint.ledger.models import Head, Verification
from footprint.ledger.record import Actor, HeadDeleted, Subject, change
from footprint.ledger.verify import verify
from footprint.waking import wake

log = structlog.get_logger("footprint.security")

# One that has not moved for so long has lost its worker, or never found one.
STUCK = timedelta(minutes=2)
MOST_ATTEMPTS = 3
GIVEN_UP = f"Its worker was lost {MOST_ATTEMPTS} times. The log of the workers may tell why; then ask again."


def ask_verification(*, actor: Person) -> Verification:
    """One at a time: whoever asks while one is underway gets that one. The caller sends the hint."""
    with change(actor=Actor.person(actor)) as ledger:
        underway = Verification.objects.filter(ended_at=None).first()
        if underway is not None:
            return underway
        head = Head.objects.first()
        if head is None:
            raise HeadDeleted
        verification = Verification.objects.create(asked_by=actor, total=head.seq)
        ledger.add(Event.VERIFICATION_ASKED, subject_of(verification))
    return verification


def hint(verification: Verification) -> bool:
    """Whether the broker took the message."""
    return wake("footprint.ledger.tasks.verify", verification.pk)


def wake_stuck() -> None:
    """Asks again for what lost its worker or its message, and gives up what loses every worker."""
    for verification in _stuck().order_by("pk"):
        if verification.attempts < MOST_ATTEMPTS:
            hint(verification)
        else:
            log.error("verification_given_up", verification=verification.pk)
            _finish(verification, actor=Actor.clock("wake_verifications"), fault=GIVEN_UP)


def carry_out(verification_id: int) -> None:
    """Whoever claims it first; a message that came twice does nothing."""
    is_free = Q(attempts=0) | Q(pk__in=_stuck().values("pk"))
    free = Verification.objects.filter(is_free, pk=verification_id, ended_at=None)
    if not free.update(attempts=F("attempts") + 1, moved_at=Now()):
        return
    verification = Verification.objects.select_related("asked_by").get(pk=verification_id)
    actor = Actor.person(verification.asked_by)

    def moved(checked: int, total: int) -> None:
        Verification.objects.filter(pk=verification_id).update(checked=checked, total=total, moved_at=Now())

    try:
        proven = verify(progress=moved)
    except BrokenChain as error:
        log.error("ledger_broken", seq=error.seq, why=error.why)
        _finish(verification, actor=actor, fault=error.why, fault_seq=error.seq)
    else:
        _finish(verification, actor=actor, said=proven.in_words())


def _stuck() -> QuerySet[Verification]:
    return Verification.objects.filter(ended_at=None, moved_at__lte=Now() - STUCK)


def _finish(
    verification: Verification, *, actor: Actor, said: str = "", fault: str = "", fault_seq: int | None = None
) -> None:
    of_it = Verification.objects.filter(pk=verification.pk, ended_at=None)
    outcome = {"ended_at": Now(), "moved_at": Now(), "said": said, "fault": fault, "fault_seq": fault_seq}
    holds = None if fault and fault_seq is None else not fault
    try:
        with change(actor=actor) as ledger:
            if of_it.update(**outcome):
                ledger.add(
                    Event.VERIFICATION_FINISHED,
                    subject_of(verification),
                    after={"holds": holds, "said": said, "fault": fault, "entry": fault_seq},
                )
    except HeadDeleted:
        # No entry can be written any more. That must not keep the outcome from whoever asked.
        of_it.update(**outcome)


def subject_of(verification: Verification) -> Subject:
    return Subject("verification", str(verification.pk), f"verification {verification.pk}")
