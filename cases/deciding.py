"""The steps that every change of a decision is made of, inside an open change and under the verdict lock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.db import connection

from cases.models import Case, CaseFile, Decision, Verdict
from cases.observed import is_storable
from cases.verdicts.settle import Reach, Settled, lock_reached, settle
from cases.verdicts.subject import Subject as DecisionSubject
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Change, Subject

_ENDED_AS = {
    Decision.State.SUPERSEDED: Event.DECISION_SUPERSEDED,
    Decision.State.WITHDRAWN: Event.DECISION_WITHDRAWN,
    Decision.State.EXPIRED: Event.DECISION_EXPIRED,
}


class CannotDecide(Exception):
    """What was asked cannot be decided. `field` is the form field that `message` belongs to, or empty."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class DecidedMeanwhile(Exception):
    """Someone changed the decisions on this subject since the person looked. Nothing was written.

    `current` is what is in force now, the latest first made; None when nothing is. `who`, `what` and
    `when` tell the latest change, also when that one took a decision away.
    """

    def __init__(self, current: Decision | None, latest: Decision | None) -> None:
        self.current = current
        self.who = self.what = ""
        self.when: datetime | None = None
        if latest is not None:
            ended = latest.state != Decision.State.IN_FORCE
            by = latest.ended_by if ended else latest.proposer
            self.who = str(by) if by is not None else "the clock"
            self.what = f"{latest}" + (f" ({latest.get_state_display()})" if ended else "")
            self.when = latest.ended_at if ended else latest.made_at
        super().__init__(
            f"Decided meanwhile by {self.who}: {self.what}" if self.what else "Decided meanwhile"
        )


class UndoRefused(Exception):
    """The decision stays. `current` is what is in force on its subject now, where that is the cause."""

    def __init__(self, why: str, current: Decision | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.current = current


def bases_of(case: Case, values: Sequence[str]) -> dict[str, str]:
    """What a person who looks at each value sees in force: the ids, in order, as one text."""
    ids: dict[str, list[int]] = defaultdict(list)
    found = Decision.objects.in_force().on_values(values).covering(case)
    for value, pk in found.order_by("pk").values_list("subject", "pk"):
        ids[value].append(pk)
    return {value: ",".join(map(str, ids[value])) for value in values}


def basis_of(case: Case, value: str) -> str:
    return bases_of(case, [value])[value]


def check_basis(case: Case, value: str, basis: str) -> None:
    if basis_of(case, value) == basis:
        return
    decisions = Decision.objects.on_values([value]).covering(case).select_related("proposer", "ended_by")
    seen = [int(pk) for pk in basis.split(",") if pk.isascii() and pk.isdigit() and len(pk) < 19]
    current = decisions.in_force().exclude(pk__in=seen).order_by("-pk").first()
    ended = decisions.filter(pk__in=seen, ended_at__isnull=False).order_by("-ended_at").first()
    raise DecidedMeanwhile(current or decisions.in_force().order_by("-pk").first(), current or ended)


def in_the_place_of(decision: Decision) -> Decision | None:
    """The row that holds the (subject, scope) of a new decision, whether the clock has passed it or not."""
    return Decision.objects.filter(
        state=Decision.State.IN_FORCE,
        subject_kind=decision.subject_kind,
        subject=decision.subject,
        scope=decision.scope,
        case=decision.case_id,
        file_kind=decision.file_kind,
        file_key=decision.file_key,
    ).first()


def new_decision(
    *,
    case: Case,
    subject: DecisionSubject,
    verdict: str,
    scope: str,
    file: CaseFile | None,
    reason: str,
    expires_at: datetime | None,
    proposer: Person,
) -> Decision:
    """Not yet saved; raises CannotDecide at the field that is wrong."""
    if verdict not in (Verdict.ALLOWED, Verdict.BLOCKED):
        raise CannotDecide("verdict", "Decide on allow or block.")
    if scope not in Decision.Scope.values:
        raise CannotDecide("scope", "Choose this case, this file or everywhere.")
    if scope == Decision.Scope.FILE and (file is None or file.case_id != case.pk):
        raise CannotDecide("file", "Choose a file of this case.")
    if not reason.strip():
        raise CannotDecide("reason", "Give a reason; it is kept with the decision.")
    if not is_storable(reason):
        raise CannotDecide("reason", "The reason holds characters that cannot be kept.")
    now = database_now()
    if expires_at is not None and expires_at <= now:
        raise CannotDecide("expires_at", "The expiry must be in the future.")
    asked_file = file if scope == Decision.Scope.FILE else None
    return Decision(
        verdict=verdict,
        subject_kind=subject.kind.value,
        subject=subject.text,
        network=subject.text if subject.kind in {"address", "network"} else None,
        scope=scope,
        case=case if scope == Decision.Scope.CASE else None,
        file_kind=asked_file.kind if asked_file else "",
        file_key=asked_file.key if asked_file else "",
        made_in=case,
        reason=reason.strip(),
        expires_at=expires_at,
        state=Decision.State.IN_FORCE,
        proposer=proposer,
        made_at=now,
    )


def made_again(decision: Decision, at: datetime | None = None) -> Decision:
    """The same decision as a new one, not yet saved. It stays its maker's, who may undo it in turn."""
    return Decision(
        verdict=decision.verdict,
        subject_kind=decision.subject_kind,
        subject=decision.subject,
        network=decision.network,
        scope=decision.scope,
        case_id=decision.case_id,
        file_kind=decision.file_kind,
        file_key=decision.file_key,
        made_in_id=decision.made_in_id,
        reason=decision.reason,
        expires_at=decision.expires_at,
        state=Decision.State.IN_FORCE,
        proposer_id=decision.proposer_id,
        approver_id=decision.approver_id,
        made_at=at or database_now(),
        supersedes_id=decision.supersedes_id,
    )


def end(decision: Decision, state: Decision.State, by: Person | None) -> None:
    decision.state = state
    decision.ended_at = database_now()
    decision.ended_by = by
    decision.version += 1
    decision.save(update_fields=["state", "ended_at", "ended_by", "version"])


def resettle(decisions: Iterable[Decision]) -> Settled:
    """Judges every endpoint anew that one of the decisions, ended or made, may govern."""
    return settle(lock_reached(_reach(decision) for decision in decisions))


def _reach(decision: Decision) -> Reach:
    return Reach(
        subject_kind=decision.subject_kind,
        subject=decision.subject,
        case_id=decision.case_id,
        file_kind=decision.file_kind,
        file_key=decision.file_key,
    )


def note_made(ledger: Change, decision: Decision, *, verdict_before: str, **more: object) -> None:
    """`verdict_before` is the value's in the case; `more` joins what is kept after, such as the effect."""
    ledger.add(
        Event.DECISION_MADE,
        subject_of(decision),
        case_number=decision.made_in_id,
        before={"verdict": verdict_before},
        after={**as_kept(decision), **more},
        reason=decision.reason,
    )


def note_ended(ledger: Change, decision: Decision, *, reason: str, **more: object) -> None:
    """`more` as in note_made."""
    ledger.add(
        _ENDED_AS[Decision.State(decision.state)],
        subject_of(decision),
        case_number=decision.made_in_id,
        before={**as_kept(decision), "state": Decision.State.IN_FORCE.value},
        after={**as_kept(decision), **more},
        reason=reason,
    )


def subject_of(decision: Decision) -> Subject:
    return Subject("decision", str(decision.pk), str(decision))


def as_kept(decision: Decision) -> dict[str, object]:
    """Everything by which the decisions in force could be rebuilt from the ledger."""
    return {
        "verdict": decision.verdict,
        "subject_kind": decision.subject_kind,
        "subject": decision.subject,
        "scope": decision.scope,
        "case": decision.case_id,
        "file_kind": decision.file_kind,
        "file": decision.file_key,
        "state": str(decision.state),
        "expires_at": _moment(decision.expires_at),
        "proposer": decision.proposer_id,
        "supersedes": decision.supersedes_id,
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


def database_now() -> datetime:
    """The clock all decisions go by. Later than any wait for the verdict lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
