"""Deciding on the lines of a confirmed intake, step by step.

A step is one transaction under the verdict lock that holds the intake's row: a worker that is killed leaves
nothing half-done, and the next one goes on where the last step ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import F

from cases.batches.making import end_many
from cases.batches.writing import ToMake, insert_decisions
from cases.clock import database_now
from cases.deciding import propose
from cases.decision_entries import note_ended, note_made
from cases.explained import ruling_of
from cases.intakes.confirming import why_not_by
from cases.intakes.examining import examine
from cases.models import Decision, Intake, IntakeLine, Proposal
from cases.places import proposed_in_the_place_of
from cases.second_person import why_second_person_of
from cases.settling import resettle_exactly
from cases.verdicts.preview import preview_of_making
from cases.verdicts.settle import take_verdict_lock
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change

# Lines of one step. Deciding by hand waits for it, so it is a fraction of a second.
STEP = 500
# Of one step; each has a preview of its own.
MOST_PROPOSED = 50

Outcome = IntakeLine.Outcome


@dataclass(slots=True)
class Told:
    """What became of the lines of a step, for one statement at its end."""

    places: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    decisions: list[int | None] = field(default_factory=list)

    def add(self, line: IntakeLine, outcome: str, why: str = "", decision: int | None = None) -> None:
        self.places.append(line.place)
        self.outcomes.append(str(outcome))
        self.whys.append(why)
        self.decisions.append(decision)


def land_waiting() -> int:
    """Lands every intake that is confirmed, to its end. Returns how many steps that took."""
    steps = 0
    landing = Intake.objects.filter(state=Intake.State.LANDING).order_by("pk")
    for pk in list(landing.values_list("pk", flat=True)):
        while land_step(pk):
            steps += 1
    return steps


def land_step(pk: int) -> bool:
    """Decides on the lines that come next; returns whether there may be more."""
    confirmed = Intake.objects.select_related("confirmed_by").get(pk=pk)
    person = confirmed.confirmed_by
    if person is None:
        return False
    why = why_not_by(person, confirmed.total)
    if why:
        _stop(pk, why)
        return False
    with change(actor=Actor.person(person)) as ledger:
        take_verdict_lock()
        intake = Intake.objects.select_for_update().get(pk=pk)
        if not intake.is_landing:
            return False
        now = database_now()
        if intake.expires_at is not None and intake.expires_at <= now:
            _end(ledger, intake, Intake.State.STOPPED, "The expiry that was chosen has passed.")
            return False
        coming = list(
            intake.entries.to_land(takes_over=intake.takes_over).filter(place__gt=intake.position)[:STEP]
        )
        if not coming:
            _end(ledger, intake, Intake.State.LANDED, "")
            return False
        _land(ledger, intake, coming, person, now)
    return True


def _stop(pk: int, why: str) -> None:
    """By the clock: whoever confirmed the list has no part in its end."""
    with change(actor=Actor.clock("land_intakes")) as ledger:
        intake = Intake.objects.select_for_update().get(pk=pk)
        if intake.is_landing:
            _end(ledger, intake, Intake.State.STOPPED, why)


def _land(
    ledger: Change, intake: Intake, coming: Sequence[IntakeLine], person: Person, now: datetime
) -> None:
    told = Told()
    lines = _still_to_land(intake, coming, told)
    decisions = [_decision_of(intake, line, person, now) for line in lines]
    held = _held(lines)
    replaced = [_unless_past(held.get(_key(each)), now) for each in decisions]
    whys = why_second_person_of(decisions, ended=replaced, are_imported=True)
    cut = _cut(whys)
    alone = [number for number, why in enumerate(whys[:cut]) if not why]
    _make(ledger, intake, [decisions[number] for number in alone], held, person)
    for number in alone:
        told.add(lines[number], Outcome.MADE, decision=decisions[number].pk)
    for number, why in enumerate(whys[:cut]):
        if why:
            _propose(ledger, lines[number], decisions[number], why, person, told)
    last = lines[cut - 1].place if cut < len(lines) else coming[-1].place
    _write(intake, told)
    Intake.objects.filter(pk=intake.pk).update(
        position=last, done=F("done") + len(told.places), version=F("version") + 1
    )


def _still_to_land(intake: Intake, coming: Sequence[IntakeLine], told: Told) -> list[IntakeLine]:
    """Looked at again, now that nothing can change: what was decided meanwhile is left as it is."""
    seen = {line.place: line for line in coming}
    examine(intake, coming[0].place, coming[-1].place)
    lines = []
    for line in intake.entries.filter(place__in=seen).select_related("against").order_by("place"):
        was = seen[line.place]
        if line.finding == IntakeLine.Finding.KNOWN:
            told.add(line, Outcome.KNOWN, decision=line.against_id)
        elif line.finding == IntakeLine.Finding.CONTRADICTING and (line.against_id != was.against_id):
            told.add(line, Outcome.LEFT, f"Decided meanwhile: {line.against}.", line.against_id)
        else:
            lines.append(line)
    return lines


def _cut(whys: Sequence[Sequence[str]]) -> int:
    """Where the step ends so that not too many proposals are made in it."""
    proposed = 0
    for number, why in enumerate(whys):
        proposed += bool(why)
        if proposed > MOST_PROPOSED:
            return number
    return len(whys)


def _decision_of(intake: Intake, line: IntakeLine, person: Person, now: datetime) -> Decision:
    return Decision(
        verdict=intake.verdict,
        subject_kind=line.kind,
        subject=line.subject,
        network=line.network,
        scope=Decision.Scope.EVERYWHERE,
        reason=intake.reason,
        expires_at=intake.expires_at,
        state=Decision.State.IN_FORCE,
        proposer=person,
        made_at=now,
    )


_Key = tuple[str, str]


def _key(decision: Decision) -> _Key:
    return decision.subject_kind, decision.subject


def _held(lines: Sequence[IntakeLine]) -> Mapping[_Key, Decision]:
    """What holds the places of the new decisions, whether the clock has passed it or not."""
    subjects = [line.subject for line in lines]
    found = Decision.objects.filter(
        state=Decision.State.IN_FORCE, scope=Decision.Scope.EVERYWHERE, subject__in=subjects
    )
    return {_key(decision): decision for decision in found.order_by("pk")}


def _unless_past(decision: Decision | None, now: datetime) -> Decision | None:
    return None if decision is None or decision.is_past(now) else decision


def _make(
    ledger: Change,
    intake: Intake,
    decisions: Sequence[Decision],
    held: Mapping[_Key, Decision],
    person: Person,
) -> None:
    """Of exact subjects alone: what is wide always takes a second person."""
    if not decisions:
        return
    superseded = _make_room(ledger, decisions, held, person)
    made = insert_decisions(
        decisions[0],
        [ToMake(*_key(each), _pk_of(superseded.get(_key(each)))) for each in decisions],
    )
    resettle_exactly([_key(each) for each in decisions], case_id=None)
    for decision in decisions:
        decision.pk = made[_key(decision)]
        holder = superseded.get(_key(decision))
        if holder is not None:
            decision.supersedes = holder
            note_ended(ledger, holder, reason=decision.reason, superseded_by=decision.pk)
        # A list belongs to no case, so there is no value whose verdict could be told.
        note_made(ledger, decision, verdict_before="", intake=intake.pk, sha256=intake.sha256)


def _make_room(
    ledger: Change, decisions: Sequence[Decision], held: Mapping[_Key, Decision], person: Person
) -> dict[_Key, Decision]:
    """Ends what holds their places; returns what was still in force."""
    now = decisions[0].made_at
    holders = [held[_key(each)] for each in decisions if _key(each) in held]
    past = [each for each in holders if each.is_past(now)]
    end_many(ledger, past, Decision.State.EXPIRED, None, now)
    for each in past:
        note_ended(ledger, each, reason="Its time was over.")
    superseded = [each for each in holders if each not in past]
    end_many(ledger, superseded, Decision.State.SUPERSEDED, person, now)
    return {_key(each): each for each in superseded}


def _pk_of(decision: Decision | None) -> int | None:
    return decision.pk if decision is not None else None


def _propose(
    ledger: Change, line: IntakeLine, decision: Decision, why: Sequence[str], person: Person, told: Told
) -> None:
    waiting = proposed_in_the_place_of(decision)
    if waiting is not None:
        told.add(line, Outcome.LEFT, f"Proposed already: {waiting}.", waiting.pk)
        return
    propose(
        ledger,
        decision,
        kind=Proposal.Kind.MAKE,
        proposer=person,
        reason=decision.reason,
        why=why,
        preview=preview_of_making([ruling_of(decision)])[0],
    )
    told.add(line, Outcome.PROPOSED, " ".join(why), decision.pk)


_TELL = """
    UPDATE cases_intakeline l SET outcome = t.outcome, why = t.why, decision_id = t.decision
      FROM unnest(%s::int[], %s::text[], %s::text[], %s::bigint[]) AS t(place, outcome, why, decision)
     WHERE l.intake_id = %s AND l.place = t.place
"""


def _write(intake: Intake, told: Told) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [told.places, told.outcomes, told.whys, told.decisions, intake.pk])


def _end(ledger: Change, intake: Intake, state: Intake.State, said: str) -> None:
    intake.state, intake.said, intake.ended_at = state, said, database_now()
    intake.version += 1
    intake.save(update_fields=["state", "said", "ended_at", "version"])
    ledger.add(
        Event.INTAKE_LANDED if state == Intake.State.LANDED else Event.INTAKE_STOPPED,
        Subject("intake", str(intake.pk), str(intake)),
        after={"sha256": intake.sha256, "outcomes": intake.entries.exclude(outcome="").counts("outcome")},
        reason=intake.reason,
    )
