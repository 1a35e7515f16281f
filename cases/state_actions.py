"""The life of a case: open, watching, closed, and back by evidence. docs/cases.md says what each means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import Now

from cases.case_actions import CannotChange, locked_case, subject_of
from cases.counting import count_values
from cases.models import Case, Decision, Verdict
from cases.texts import bad_reason
from cases.verdicts.settle import take_verdict_lock
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, change

_WHERE = {
    Decision.Scope.EVERYWHERE: "everywhere",
    Decision.Scope.FILE: "for a file",
    Decision.Scope.CASE: "in this case",
}
_NOUNS = {Verdict.BLOCKED: "block", Verdict.ALLOWED: "allow"}


@dataclass(frozen=True, slots=True)
class Staying:
    """So many decisions of a case, of one verdict and scope, that stay in force whatever its state."""

    verdict: str
    scope: str
    count: int

    @property
    def words(self) -> str:
        noun = _NOUNS[Verdict(self.verdict)]
        plural = "" if self.count == 1 else "s"
        return f"{self.count:,} {noun}{plural} {_WHERE[Decision.Scope(self.scope)]}"


def staying_in_force(case: Case) -> list[Staying]:
    """What was decided in the case and goes on counting, the widest first, blocks first."""
    counted = Decision.objects.in_force().filter(made_in=case).order_by().values_list("verdict", "scope")
    scopes, verdicts = list(_WHERE), list(_NOUNS)
    found = [Staying(verdict, scope, count) for verdict, scope, count in counted.annotate(Count("pk"))]
    return sorted(
        found,
        key=lambda each: (scopes.index(Decision.Scope(each.scope)), verdicts.index(Verdict(each.verdict))),
    )


def in_words(staying: Sequence[Staying]) -> str:
    """ "12 blocks everywhere and 3 allows in this case stay in force."; empty when nothing does."""
    if not staying:
        return ""
    *first, last = (each.words for each in staying)
    named = f"{', '.join(first)} and {last}" if first else last
    verb = "stays" if sum(each.count for each in staying) == 1 else "stay"
    return f"{named} {verb} in force."


def change_state(*, actor: Person, case: Case, version: int, state: str, reason: str) -> Case:
    """Closing needs a reason while values are undecided. `version` is the one that the person saw."""
    wanted = _read(state, reason)
    with change(actor=Actor.person(actor)) as ledger:
        # Nobody decides in the case between the count and its closing.
        take_verdict_lock()
        locked = locked_case(case, version)
        if locked.state == wanted:
            raise CannotChange("state", f"The case is {locked.get_state_display()} already.")
        undecided = count_values(locked.pk).undecided
        if wanted == Case.State.CLOSED and undecided and not reason.strip():
            what = "One value is" if undecided == 1 else f"{undecided:,} values are"
            raise CannotChange("reason", f"{what} undecided; say why the case is closed all the same.")
        _move(ledger, locked, wanted, actor, reason.strip(), undecided=undecided)
    return locked


def reopen_by_evidence(ledger: Change, case_id: int, *, undecided: int, by: str) -> bool:
    """New undecided values bring a watching or closed case back. Inside the change of what found them."""
    case = Case.objects.select_for_update(of=("self",)).get(pk=case_id)
    if not undecided or case.state == Case.State.OPEN:
        return False
    what = "1 new value" if undecided == 1 else f"{undecided:,} new values"
    _move(ledger, case, Case.State.OPEN, None, f"{by} found {what}, undecided.", undecided=undecided)
    return True


def _read(state: str, reason: str) -> Case.State:
    if state not in Case.State.values:
        raise CannotChange("state", "Choose open, watching or closed.")
    if said := bad_reason(reason):
        raise CannotChange("reason", said)
    return Case.State(state)


def _move(
    ledger: Change, case: Case, state: Case.State, by: Person | None, reason: str, *, undecided: int
) -> None:
    before = {"state": str(case.state)}
    case.state, case.state_by, case.state_reason = state, by, reason
    case.version += 1
    case.save(update_fields=["state", "state_by", "state_reason", "version"])
    Case.objects.filter(pk=case.pk).update(state_at=Now())
    staying = in_words(staying_in_force(case))
    ledger.add(
        _event_of(state),
        subject_of(case),
        case_number=case.pk,
        before=before,
        after={"state": state.value, "undecided": undecided, "in_force": staying},
        reason=reason,
    )


def _event_of(state: Case.State) -> Event:
    if state == Case.State.OPEN:
        return Event.CASE_REOPENED
    return Event.CASE_CLOSED if state == Case.State.CLOSED else Event.CASE_WATCHED
