"""Changes to the places where watchlists are pushed. Each is one transaction with its ledger entries."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError

from cases.clock import database_now
from cases.texts import bad_line
from cases.watchlists.ending import subject_of
from cases.watchlists.models import Target, Watchlist
from cases.watchlists.targets.open import budget_place, open_target, whereabouts
from footprint.accounts.models import Person
from footprint.azure.errors import BadSetting
from footprint.given_away import check_credential
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, change

_LONGEST_REASON = 500
_CHECKED = frozenset({"slug", "title", "kind", "credential", "grace_minutes"})
# Addresses below targets/ that are no target.
TAKEN = frozenset({"new"})


class TargetFields(TypedDict, total=False):
    """What can be set of a target. Its slug, its kind and its list never change."""

    title: str
    options: Mapping[str, str]
    credential: str
    takes_allows: bool
    grace_minutes: int


class NoReason(Exception):
    """It is kept in the ledger why a target is paused or emptied; the text says what is wrong with it."""


class TargetMoved(Exception):
    """Somebody changed the target since it was looked at."""


NOT_TRIED = "Added, and not tried yet: look at the dry run, then resume it."


def add_target(
    *,
    actor: Actor,
    slug: str,
    kind: str,
    watchlist: Watchlist,
    starts: bool = True,
    **fields: Unpack[TargetFields],
) -> Target:
    """Raises BadSetting for what cannot be meant, and for a slug that is taken. One that does not start is
    paused, so that somebody can see first what would be sent."""
    if slug in TAKEN:
        raise BadSetting("slug", f"{slug} is taken by a page of this site.")
    now = database_now()
    target = Target(slug=slug, kind=kind, watchlist=watchlist, made_at=now, next_at=now, title=slug)
    if not starts:
        target.paused_at, target.paused_because = now, NOT_TRIED
    _set(target, fields)
    check(target)
    with change(actor=actor) as ledger:
        if Target.objects.filter(slug=slug).exists():
            raise BadSetting("slug", f"There is a target called {slug} already.")
        _check_place(target)
        target.save()
        ledger.add(
            Event.TARGET_ADDED,
            subject_of(target),
            after={
                "slug": slug,
                "kind": kind,
                "watchlist": watchlist.slug,
                "starts": starts,
                **_told(target),
            },
        )
    return target


def change_target(
    *, actor: Actor, target: Target, seen: int | None = None, **fields: Unpack[TargetFields]
) -> Target:
    """Changes what is given and leaves the rest. `seen` is the version that the change was made from.

    Raises BadSetting for what cannot be meant and TargetMoved when `seen` is not the version any more.
    """
    with change(actor=actor) as ledger:
        locked = _locked(target)
        if seen is not None and locked.version != seen:
            raise TargetMoved
        before, old = _told(locked), whereabouts(locked.as_described)
        _set(locked, fields)
        check(locked)
        _check_place(locked)
        _check_move(locked, old)
        after = _told(locked)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            locked.version += 1
            # Another worker may hold it with the old settings: it writes nothing any more.
            locked.fence += 1
            locked.lease_until, locked.not_before, locked.failures = None, None, 0
            locked.next_at = database_now()
            locked.save()
            ledger.add(
                Event.TARGET_CHANGED,
                subject_of(locked),
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
    target.refresh_from_db()
    return target


def pause_target(*, actor: Person, target: Target, because: str) -> bool:
    """Nothing is sent there from the next request on. Returns whether it was this call that paused it.

    Raises NoReason.
    """
    reason = _reason(because)
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(target)
        paused = not locked.is_paused
        if paused:
            locked.paused_at, locked.paused_by, locked.paused_because = database_now(), actor, reason
            locked.save()
            ledger.add(
                Event.TARGET_PAUSED,
                subject_of(locked),
                before={"paused": False},
                after={"paused": True, "paused_because": reason},
                reason=reason,
            )
    target.refresh_from_db()
    return paused


def resume_target(*, actor: Person, target: Target) -> bool:
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(target)
        resumed = locked.is_paused
        if resumed:
            before = _pause_of(locked)
            locked.paused_at, locked.paused_by, locked.paused_because = None, None, ""
            locked.next_at, locked.not_before = database_now(), None
            locked.save()
            ledger.add(Event.TARGET_RESUMED, subject_of(locked), before=before, after=_pause_of(locked))
    target.refresh_from_db()
    return resumed


def retire_target(*, actor: Person, target: Target, because: str) -> bool:
    """Withdraws everything of ours there, and then leaves it alone for good. It ends a pause.

    Raises NoReason.
    """
    reason = _reason(because)
    with change(actor=Actor.person(actor)) as ledger:
        locked = _locked(target)
        retired = locked.retired_at is None
        if retired:
            locked.retired_at = locked.next_at = database_now()
            locked.not_before = None
            before = {"retired": False, **_pause_of(locked)}
            locked.paused_at, locked.paused_by, locked.paused_because = None, None, ""
            locked.save()
            after = {"retired": True, **_pause_of(locked)}
            ledger.add(Event.TARGET_RETIRED, subject_of(locked), before=before, after=after, reason=reason)
    target.refresh_from_db()
    return retired


def _reason(because: str) -> str:
    reason = because.strip()[:_LONGEST_REASON]
    if not reason:
        raise NoReason("Say why.")
    if said := bad_line(reason):
        raise NoReason(said)
    return reason


def ask_for_dry_run(target: Target) -> None:
    """A worker looks and tells what it would do. The caller sends the message."""
    Target.objects.filter(pk=target.pk).update(dry_run_asked_at=database_now())
    target.refresh_from_db()


def ask_for_reconciliation(target: Target) -> None:
    """As soon as a worker is free, also when the service wanted a pause. The caller sends the message."""
    Target.objects.filter(pk=target.pk).update(next_at=database_now(), not_before=None)
    target.refresh_from_db()


def check(target: Target) -> None:
    """Raises BadSetting for a target that nobody could reach as it is described, naming the field."""
    try:
        target.clean_fields(exclude={field.name for field in Target._meta.fields} - _CHECKED)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadSetting(field, " ".join(messages)) from error
    check_credential(target.credential)
    configured = settings.FOOTPRINT
    open_target(
        target.as_described,
        environment=os.environ,
        allow_http=configured.allow_http_sources,
        trusted=configured.trusted_host_names,
    )


def _check_place(target: Target) -> None:
    """Two targets at one place would each think the other's list is somebody else's."""
    if target.kind != Target.Kind.SENTINEL:
        return
    where = budget_place(target.as_described), target.options["alias"].lower()
    for other in Target.objects.used().filter(kind=target.kind).exclude(pk=target.pk):
        if (budget_place(other.as_described), other.options["alias"].lower()) == where:
            raise BadSetting("alias", f"{other} is pushed there already.")


def _check_move(target: Target, old: Mapping[str, str]) -> None:
    """What is at the old place would stay there for ever."""
    new = whereabouts(target.as_described)
    moved = [name for name in new if new[name] != old[name]]
    if moved and target.receipts.there().exists():
        raise BadSetting(
            moved[0],
            "Entries of this list are at the old place. Retire this target, which withdraws them, and add"
            " another one.",
        )


def _locked(target: Target) -> Target:
    locked: Target = (
        Target.objects.select_for_update(of=("self",)).select_related("watchlist").get(pk=target.pk)
    )
    return locked


def _set(target: Target, fields: TargetFields) -> None:
    for name, value in fields.items():
        setattr(target, name, value)
    target.title = target.title or target.slug
    target.options = {name: text.strip() for name, text in target.options.items() if text.strip()}


def _pause_of(target: Target) -> dict[str, Any]:
    return {
        "paused": target.is_paused,
        **({"paused_because": target.paused_because} if target.is_paused else {}),
    }


def _told(target: Target) -> dict[str, Any]:
    return {
        "title": target.title,
        "options": target.options,
        "credential": target.credential,
        "takes_allows": target.takes_allows,
        "grace_minutes": target.grace_minutes,
    }
