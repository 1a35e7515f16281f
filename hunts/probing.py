"""The test of a source: what works there, kept with the source."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from footprint.accounts.models import Person
from footprint.ledger.record import Actor
from footprint.waking import wake
from hunts.hints import LONGEST_DELAY_SECONDS
from hunts.in_turn import InTurn
from hunts.limiter import NoTurn
from hunts.models import Source
from hunts.source_actions import forget_wish, note_probe, note_wait, wish_for_probe
from hunts.sources.base import Check, Probe, Step
from hunts.sources.errors import Refused
from hunts.sources.probes import KNOCK_SECONDS, PROBE_SECONDS

# How long a test waits for its turns at a source, among all who ask it.
WAIT_SECONDS = 120.0
# The knock, the columns, the newest event (recently, ever), the oldest: then a worker has lost it.
LONGEST_PROBE = timedelta(seconds=WAIT_SECONDS + KNOCK_SECONDS + 4 * PROBE_SECONDS)
# A worker stands in line this long for a question, and does something else then.
_PATIENCE_SECONDS = 5.0


def probe_source(source: Source, *, actor: Actor, patience: float = WAIT_SECONDS) -> Probe:
    """Asks, and keeps what it found. Raises NoTurn when the source could not be asked for so long."""
    try:
        probe = InTurn(source, patience=patience).probe()
    except Refused as error:
        probe = Probe((Check(Step.REACHED, False, str(error), advice="Change its settings."),))
    note_probe(actor=actor, source=source, probe=probe)
    return probe


def is_being_tested(source: Source) -> bool:
    asked = source.probe_asked_at
    if asked is None or (source.probed_at is not None and source.probed_at >= asked):
        return False
    return timezone.now() - asked < LONGEST_PROBE


def was_test_lost(source: Source) -> bool:
    """Nobody did the test that was wished for, and nobody will."""
    asked = source.probe_asked_at
    is_answered = asked is None or (source.probed_at is not None and source.probed_at >= asked)
    return not is_answered and not is_being_tested(source)


def send_probe(source: Source, person: Person) -> bool:
    """Has a worker test the source. Returns whether the broker took the message."""
    wish_for_probe(source)
    if wake("hunts.tasks.probe_source", source.pk, person.pk):
        return True
    forget_wish(source)
    return False


def answer_wish(source_id: int, person_id: int) -> None:
    """Tests the source unless that is done already: a message may come more than once."""
    source = Source.objects.get(pk=source_id)
    if not is_being_tested(source):
        return
    person = Person.objects.get(pk=person_id)
    try:
        probe_source(source, actor=Actor.person(person), patience=_PATIENCE_SECONDS)
    except NoTurn as error:
        note_wait(source, error.said)
        # Until the wish is too old; the page then says that the test was lost.
        after = min(error.wait_seconds, LONGEST_DELAY_SECONDS)
        wake("hunts.tasks.probe_source", source_id, person_id, after_seconds=after)
