"""Changes to the places to ask. Each is one transaction with its ledger entries, which hold no secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db.models import F
from django.db.models.functions import Now

from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change
from hunts.adapters import open_adapter
from hunts.models import Source
from hunts.sources.base import Probe
from hunts.sources.errors import BadSource

# What a page of the site can still show.
_LONGEST_REASON = 2_000


# Addresses below sources/ that are no source.
TAKEN = frozenset({"new"})


class SourceFields(TypedDict, total=False):
    """What can be set of a source. Its slug and its kind never change."""

    title: str
    options: Mapping[str, str]
    credential: str
    owner: Person | None
    at_once: int
    per_30_seconds: int
    keep_days: int | None


class SourceMoved(Exception):
    """Somebody changed the source since it was looked at."""


def add_source(*, actor: Actor, slug: str, kind: str, **fields: Unpack[SourceFields]) -> Source:
    """Raises BadSource for what cannot be meant, and for a slug that is taken."""
    if slug in TAKEN:
        raise BadSource("slug", f"{slug} is taken by a page of this site.")
    source = Source(slug=slug, kind=kind, title=fields.get("title") or slug)
    source.per_30_seconds = usual_per_30_seconds(kind)
    _set(source, {**fields, "title": source.title})
    check(source)
    with change(actor=actor) as ledger:
        added, is_new = Source.objects.get_or_create(
            slug=slug,
            defaults={"kind": kind, **{name: getattr(source, name) for name in SourceFields.__annotations__}},
        )
        if not is_new:
            raise BadSource("slug", f"There is a source called {slug} already.")
        told = {name: value for name, value in _told(added).items() if value not in ("", None, {})}
        ledger.add(Event.SOURCE_ADDED, subject_of(added), after={"slug": slug, "kind": kind, **told})
    return added


def change_source(
    *, actor: Actor, source: Source, seen: int | None = None, **fields: Unpack[SourceFields]
) -> Source:
    """Changes what is given and leaves the rest. `seen` is the version that the change was made from.

    Raises BadSource for what cannot be meant and SourceMoved when `seen` is not the version any more.
    """
    with change(actor=actor) as ledger:
        locked = _locked(source)
        if seen is not None and locked.version != seen:
            raise SourceMoved
        before = _told(locked)
        _set(locked, fields)
        check(locked)
        after = _told(locked)
        changed = [name for name in after if after[name] != before[name]]
        if changed:
            locked.version += 1
            locked.save()
            ledger.add(
                Event.SOURCE_CHANGED,
                subject_of(locked),
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
    source.refresh_from_db()
    return source


def pause_source(*, actor: Actor, source: Source, because: str) -> bool:
    """Nothing is asked there from now on. Returns whether it was this call that paused it.

    A run pauses the source as it knew it: a refusal that comes after the source was mended changes nothing.
    """
    reason = because.strip()[:_LONGEST_REASON]
    is_person = actor.kind == "person"
    with change(actor=actor) as ledger:
        locked = _locked(source)
        is_mended = not is_person and locked.version != source.version
        paused = not locked.is_paused and not is_mended
        if paused:
            Source.objects.filter(pk=locked.pk).update(
                paused_at=Now(), paused_by=int(actor.id) if is_person else None, paused_because=reason
            )
            ledger.add(
                Event.SOURCE_PAUSED,
                subject_of(locked),
                before={"paused": False},
                after={"paused": True, "paused_because": reason},
                reason=reason,
            )
    source.refresh_from_db()
    return paused


def resume_source(*, actor: Actor, source: Source, reason: str = "") -> bool:
    """It may be asked again, with adapters that sign in anew. Returns whether it was paused."""
    with change(actor=actor) as ledger:
        locked = _locked(source)
        resumed = locked.is_paused
        if resumed:
            Source.objects.filter(pk=locked.pk).update(
                paused_at=None, paused_by=None, paused_because="", version=F("version") + 1
            )
            ledger.add(
                Event.SOURCE_RESUMED,
                subject_of(locked),
                before={"paused": True, "paused_because": locked.paused_because},
                after={"paused": False},
                reason=reason.strip()[:_LONGEST_REASON],
            )
    source.refresh_from_db()
    return resumed


def wish_for_probe(source: Source) -> None:
    """A worker tests the source next; what it finds is the ledger's entry. The caller sends the message."""
    Source.objects.filter(pk=source.pk).update(probe_asked_at=Now(), probe_waited="")
    source.refresh_from_db()


def note_wait(source: Source, said: str) -> None:
    """Why the test that was wished for is not done yet."""
    Source.objects.filter(pk=source.pk).update(probe_waited=said)
    source.refresh_from_db()


def forget_wish(source: Source) -> None:
    """Nobody could be told of it."""
    Source.objects.filter(pk=source.pk).update(probe_asked_at=None)
    source.refresh_from_db()


def note_probe(*, actor: Actor, source: Source, probe: Probe) -> None:
    """Keeps what a test found, with the version of the source that was tested."""
    found = {
        "version": source.version,
        "passed": probe.passed,
        "newest": probe.newest.isoformat() if probe.newest else None,
        "checks": [{**asdict(check), "step": check.step.value} for check in probe.checks],
    }
    failed = next((check for check in probe.checks if not check.passed), None)
    with change(actor=actor) as ledger:
        Source.objects.filter(pk=source.pk).update(probe=found, probed_at=Now())
        after: dict[str, object] = {"passed": probe.passed}
        if failed is not None:
            after |= {"failed": failed.step.value, "found": failed.found}
        ledger.add(Event.SOURCE_TESTED, subject_of(source), after=after)
    source.refresh_from_db()


def check(source: Source) -> None:
    """Raises BadSource for a source that nobody could ask as it is described, naming the field."""
    try:
        source.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadSource(field, " ".join(messages)) from error
    if source.is_local:
        _check_local(source)
    else:
        if source.keep_days is not None:
            raise BadSource("keep_days", "Only a source of imported telemetry keeps rows here.")
        open_adapter(source.kind, source.options, source.credential)


def _check_local(source: Source) -> None:
    if source.credential:
        raise BadSource("credential", "A local source needs no credential.")
    for name in source.options:
        raise BadSource(name, f"A local source has no {name}.")


def usual_per_30_seconds(kind: str) -> int:
    """Graph promises 45 calls a minute to a whole tenant, Log Analytics 200 in 30 seconds to an identity."""
    return 20 if kind == Source.Kind.DEFENDER_XDR else 200


def subject_of(source: Source) -> Subject:
    return Subject("source", source.slug, source.title)


def _locked(source: Source) -> Source:
    locked: Source = Source.objects.select_for_update(of=("self",)).select_related("owner").get(pk=source.pk)
    return locked


def _set(source: Source, fields: SourceFields) -> None:
    for name, value in fields.items():
        setattr(source, name, value)
    source.options = {name: text.strip() for name, text in source.options.items() if text.strip()}


def _told(source: Source) -> dict[str, Any]:
    owner = source.owner
    return {
        "title": source.title,
        "options": source.options,
        "credential": source.credential,
        "owner": owner.username if owner else None,
        "at_once": source.at_once,
        "per_30_seconds": source.per_30_seconds,
        "keep_days": source.keep_days,
    }
