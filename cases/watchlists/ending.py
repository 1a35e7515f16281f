"""How a reconciliation is kept: its beginning, its counts, and each way it can end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cases.clock import database_now
from cases.watchlists import holding
from cases.watchlists.holding import Hold
from cases.watchlists.models import Reconciliation, Target
from cases.watchlists.receipts import is_kept_otherwise
from cases.watchlists.targets.base import Outcome, Plan, There
from cases.watchlists.targets.errors import Unfinished
from footprint.azure.errors import Refused, Rejected, ServiceError, Throttled
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, Subject, change

AFTER_REFUSAL = timedelta(hours=1)
# What was sent and is not listed yet is looked at again after this.
_SOON = timedelta(minutes=5)
_FIRST_RETRY = timedelta(seconds=30)
_LONGEST_RETRY = timedelta(minutes=15)
_LONGEST_PLAN = 200
# Then it is not a short disturbance any more.
_TROUBLE_AFTER = timedelta(hours=1)

Ended = Reconciliation.Ended


def subject_of(target: Target) -> Subject:
    return Subject("target", target.slug, target.title)


def begin(hold: Hold, target: Target, number: int) -> Reconciliation:
    return Reconciliation.objects.create(
        target=target, number=number, is_dry_run=hold.is_dry_run, began_at=database_now()
    )


def note_plan(record: Reconciliation, plan: Plan, there: There) -> None:
    record.kept, record.refused, record.waiting = len(plan.kept), len(plan.refused), _waiting(plan)
    record.left_alone = there.others
    record.save()
    Target.objects.filter(pk=record.target_id).update(items_ours=there.ours, items_others=there.others)


def note_step(
    record: Reconciliation, outcomes: Sequence[Outcome], *, changing: Collection[str], withdraws: bool
) -> None:
    done = [each.key for each in outcomes if each.is_done]
    changed = sum(key in changing for key in done)
    counts = (
        {"withdrawn": len(done), "refused": len(outcomes) - len(done)}
        if withdraws
        else {"added": len(done) - changed, "changed": changed, "refused": len(outcomes) - len(done)}
    )
    Reconciliation.objects.filter(pk=record.pk).update(
        **{name: F(name) + count for name, count in counts.items()}
    )


def finish_dry_run(hold: Hold, record: Reconciliation, plan: Plan, drift: Mapping[str, str]) -> bool:
    with transaction.atomic():
        target = holding.lock(hold)
        _close(
            record,
            Ended.SAME if _is_carried_out(plan, record) else Ended.BEHIND,
            added=len(plan.adds),
            changed=len(plan.changes),
            withdrawn=len(plan.removals),
            plan=_shown(plan, drift),
        )
        target.dry_run_asked_at = None
        _release(target)
    return True


def finish(hold: Hold, record: Reconciliation, plan: Plan, there: There) -> bool:
    """`plan` is what is left to do after everything was sent."""
    with change(actor=Actor.clock("reconcile_target")) as ledger:
        target = holding.lock(hold)
        record.refresh_from_db()
        may_come = target.receipts.may_come().exists()
        is_calm = plan.is_empty and not may_come
        is_same = is_calm and _is_carried_out(plan, record)
        _close(
            record, Ended.SAME if is_same else Ended.BEHIND, refused=len(plan.refused), waiting=_waiting(plan)
        )
        now = database_now()
        pause = timedelta(minutes=settings.FOOTPRINT.reconcile_minutes) if is_calm else _SOON
        target.seen, target.next_at, target.not_before = record.number, now + pause, None
        target.stand = Target.Stand.SAME if is_same else Target.Stand.BEHIND
        if target.retired_at is not None and not there.ours and not may_come:
            target.stand = Target.Stand.EMPTIED
        target.reconciled_at, target.failures = now, 0
        target.trouble, target.trouble_since = "", None
        target.items_ours, target.items_others = there.ours, there.others
        _tell_change(ledger, target, record)
        _release(target)
    return False


def stop(hold: Hold, record: Reconciliation, said: str, *, again: bool = False) -> bool:
    """Nothing went wrong, and it is not done."""
    with change(actor=Actor.clock("reconcile_target")) as ledger:
        target = holding.lock(hold)
        record.refresh_from_db()
        _close(record, Ended.STOPPED, said=said)
        target.next_at = database_now()
        target.stand = Target.Stand.BEHIND
        _tell_change(ledger, target, record)
        _release(target)
    return again


def fail_with(hold: Hold, record: Reconciliation, error: ServiceError) -> bool:
    if isinstance(error, Throttled | Unfinished):
        return _fail(hold, record, error.words, wait=timedelta(seconds=error.retry_after))
    if isinstance(error, Refused | Rejected):
        return fail_for_good(hold, record, error.words)
    return _fail(hold, record, error.words)


def fail_for_good(hold: Hold, record: Reconciliation, said: str) -> bool:
    """Until a person does something about it; asked now and then all the same."""
    return _fail(hold, record, said, wait=AFTER_REFUSAL, needs_person=True)


def _fail(
    hold: Hold,
    record: Reconciliation,
    said: str,
    *,
    wait: timedelta | None = None,
    needs_person: bool = False,
) -> bool:
    """It is asked again by itself. A failure that lasts, or that a person must mend, is trouble."""
    with change(actor=Actor.clock("reconcile_target")) as ledger:
        target = holding.lock(hold)
        record.refresh_from_db()
        now = database_now()
        _close(record, Ended.FAILED, said=said)
        target.failures += 1
        target.not_before = now + (
            wait or min(_FIRST_RETRY * 2 ** min(target.failures - 1, 10), _LONGEST_RETRY)
        )
        target.next_at, target.dry_run_asked_at = now, None
        target.trouble, target.trouble_since = said, target.trouble_since or now
        was_known = target.stand == Target.Stand.TROUBLE
        is_trouble = needs_person or now - target.trouble_since >= _TROUBLE_AFTER
        target.stand = Target.Stand.TROUBLE if is_trouble else Target.Stand.BEHIND
        _tell_change(ledger, target, record)
        if is_trouble and not was_known:
            ledger.add(Event.TARGET_FAILED, subject_of(target), reason=said[:500])
        _release(target)
    return False


def _close(record: Reconciliation, ended: Reconciliation.Ended, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(record, name, value)
    record.ended, record.ended_at = ended, database_now()
    record.save()


def _tell_change(ledger: Change, target: Target, record: Reconciliation) -> None:
    """One entry for each look that changed something; looking alone is no change."""
    if record.is_dry_run or not (record.added or record.changed or record.withdrawn or record.drifted):
        return
    after: dict[str, object] = {
        "publication": record.number,
        "added": record.added,
        "changed": record.changed,
        "withdrawn": record.withdrawn,
        "refused": record.refused,
        "waiting": record.waiting,
        "edited_by_hand": record.drifted,
    }
    if target.stand == Target.Stand.EMPTIED:
        after["emptied"] = True
    ledger.add(Event.TARGET_RECONCILED, subject_of(target), after=after)


def _release(target: Target) -> None:
    target.lease_until = None
    target.save()


def _waiting(plan: Plan) -> int:
    return len(plan.waiting) + len(plan.staying)


def _is_carried_out(plan: Plan, record: Reconciliation) -> bool:
    otherwise = any(is_kept_otherwise(refusal) for refusal in plan.refused)
    return plan.is_empty and not _waiting(plan) and not record.beyond and not otherwise


def _shown(plan: Plan, drift: Mapping[str, str]) -> list[list[str]]:
    """The first lines of each kind: what is done, to what, and why."""
    added = [["add", wish.key, drift.get(wish.key, "")] for wish in plan.adds[:_LONGEST_PLAN]]
    changed = [["change", wish.key, drift.get(wish.key, "")] for wish, _ in plan.changes[:_LONGEST_PLAN]]
    removed = [["withdraw", item.key, ""] for item in plan.removals[:_LONGEST_PLAN]]
    waiting = [["wait", wish.key, why] for wish, why in plan.waiting[:_LONGEST_PLAN]]
    staying = [["stay", item.key, why] for item, why in plan.staying[:_LONGEST_PLAN]]
    refused = [
        ["refuse", f"{each.entry.kind} {each.entry.value}", each.why] for each in plan.refused[:_LONGEST_PLAN]
    ]
    return added + changed + removed + waiting + staying + refused
