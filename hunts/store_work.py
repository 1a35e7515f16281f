"""The life of work on a store: claimed under a lease, fenced by its claim's number, as slices are.

Whoever lost the lease holds an old fence; what it tells is dropped, and it stops when it sees that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from cases.observed import visible
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Change, change
from hunts.adapters import store_of
from hunts.models import Removal, Source, StoreWork, Upload
from hunts.source_actions import subject_of
from hunts.telemetry.errors import StoreDamaged, TelemetryError
from hunts.telemetry.progress import Progress, Report

log = structlog.get_logger(__name__)

KINDS: tuple[type[Upload] | type[Removal], ...] = (Upload, Removal)
# A store's work takes minutes and a worker that it kills may be killed by it again.
MOST_LOSSES = 3
_SECONDS_BETWEEN_NOTES = 1.0
_LONGEST_NAME = 300
_SOON = timedelta(minutes=2)


class FencedOff(Exception):
    """Someone else holds the work by now, or it has ended."""


@dataclass(frozen=True, slots=True)
class Held:
    kind: type[Upload] | type[Removal]
    pk: int
    fence: int

    def rows(self) -> Any:
        """The work's row as long as it is held."""
        return self.kind.objects.filter(pk=self.pk, fence=self.fence, state=StoreWork.State.WORKING)


def claim(kind: type[Upload] | type[Removal], pk: int, worker: str) -> Held | None:
    """Takes the work for this worker, or returns None: someone has it, it has ended, or other work on the
    store is underway, for which no worker is to wait."""
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).filter(
            pk__in=kind.objects.filter(pk=pk).values_list("source", flat=True)
        )
        if not source or is_worked_on(source[0]):
            return None
        work = kind.objects.select_for_update().filter(pk=pk, state=StoreWork.State.WAITING).first()
        if work is None:
            return None
        work.state = StoreWork.State.WORKING
        work.fence += 1
        work.version += 1
        work.worker = worker[:100]
        work.phase, work.phase_done, work.phase_total, work.rows, work.reads = "", 0, 0, 0, ""
        work.save()
        kind.objects.filter(pk=pk).update(lease_until=_lease())
    return Held(kind, pk, work.fence)


def hand_back(held: Held) -> None:
    """Somebody else changes the store, as a command does. It waits, until the sweep hints at it again."""
    held.rows().update(state=StoreWork.State.WAITING, lease_until=None, worker="", version=F("version") + 1)


def is_worked_on(source: Source) -> bool:
    return any(kind.objects.filter(source=source, state=StoreWork.State.WORKING).exists() for kind in KINDS)


def waits_in_vain(work: StoreWork) -> bool:
    """Whether no worker comes for it, though none is at other work on a store."""
    since = timezone.now() - max(_SOON, timedelta(seconds=4 * settings.FOOTPRINT.sweep_seconds))
    return (
        work.state == StoreWork.State.WAITING
        and work.waits_since < since
        and not any(kind.objects.filter(state=StoreWork.State.WORKING).exists() for kind in KINDS)
    )


def is_published(work: Upload | Removal) -> bool:
    """Whether the store shows what it was to bring about. Raises StoreDamaged."""
    imports = {each.import_id for each in store_of(work.source).imports()}
    if isinstance(work, Upload):
        return work.summary is not None and work.import_id in imports
    return work.outcome is not None and work.import_id not in imports


def locked(held: Held) -> Any:
    """The row, locked; raises FencedOff when the claim no longer holds."""
    work = held.rows().select_for_update(of=("self",)).select_related("source", "asked_by").first()
    if work is None:
        raise FencedOff(held)
    return work


@contextmanager
def heartbeat(held: Held) -> Iterator[None]:
    """Renews the lease until the work is over, from a thread and a connection of its own."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(held, stop), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def note_progress(held: Held, name_of: Callable[[Path], str]) -> Report:
    """Writes how far it is down, once a second at most; raises FencedOff when the claim no longer holds."""
    before, phase = 0.0, None

    def note(progress: Progress) -> None:
        nonlocal before, phase
        now = time.monotonic()
        if progress.phase is phase and now - before < _SECONDS_BETWEEN_NOTES:
            return
        before, phase = now, progress.phase
        file = "" if progress.file is None else visible(name_of(progress.file))[:_LONGEST_NAME]
        noted = held.rows().update(
            phase=progress.phase.value,
            phase_done=progress.done,
            phase_total=progress.total,
            rows=progress.rows,
            reads=file,
            version=F("version") + 1,
            lease_until=_lease(),
        )
        if not noted:
            raise FencedOff(held)

    return note


def end(work: StoreWork, state: StoreWork.State, said: str = "") -> None:
    """The caller holds the row's lock."""
    work.state = state
    work.said = said
    work.lease_until = None
    work.version += 1
    work.save()
    type(work)._default_manager.filter(pk=work.pk).update(ended_at=Now())


def fail(ledger: Change, work: StoreWork, said: str, refusals: Sequence[Mapping[str, str]] = ()) -> None:
    """Ends it. The caller holds the row's lock."""
    if isinstance(work, Upload):
        work.refusals = list(refusals)
        ledger.add(
            Event.UPLOAD_FAILED,
            subject_of(work.source),
            after={"upload": work.pk, "refused": work.refusals},
            reason=said,
        )
    if isinstance(work, Removal):
        ledger.add(
            Event.REMOVAL_FAILED,
            subject_of(work.source),
            after={"removal": work.pk, "import": work.import_id},
            reason=said,
        )
    end(work, StoreWork.State.FAILED, said)


def take_back_lost() -> None:
    """Finds work whose worker vanished. It is done again, until it has cost too many workers; what is visible
    in the store by then is only ended by the next one."""
    for kind in KINDS:
        with change(actor=Actor.clock("sweep")) as ledger:
            lost = kind.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                state=StoreWork.State.WORKING, lease_until__lt=Now()
            )
            for work in lost.select_related("source").order_by("pk"):
                log.warning("lease_ran_out", work=str(work), worker=work.worker)
                work.losses += 1
                if work.losses >= MOST_LOSSES and not _has_only_to_end(work):
                    fail(ledger, work, f"{work.losses} workers vanished over it; given up.")
                else:
                    work.state = StoreWork.State.WAITING
                    work.lease_until = work.hinted_at = None
                    work.version += 1
                    work.save()


def forgotten(kind: type[Upload] | type[Removal]) -> list[int]:
    """What waits for nothing but a worker and was hinted at too long ago, or never."""
    long_ago = Now() - timedelta(seconds=settings.FOOTPRINT.sweep_seconds)
    waiting = kind.objects.filter(
        Q(hinted_at=None) | Q(hinted_at__lt=long_ago), state=StoreWork.State.WAITING
    )
    busy = [
        busy.objects.filter(state=StoreWork.State.WORKING).values_list("source", flat=True) for busy in KINDS
    ]
    waiting = waiting.exclude(source__in=busy[0]).exclude(source__in=busy[1])
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def said_of(error: TelemetryError | OSError) -> str:
    return f"{error}"[:2_000]


def _has_only_to_end(work: Upload | Removal) -> bool:
    try:
        return is_published(work)
    except StoreDamaged:
        return False


def _lease() -> Any:
    return Now() + timedelta(seconds=settings.FOOTPRINT.lease_seconds)


def _beat(held: Held, stop: threading.Event) -> None:
    try:
        while not stop.wait(settings.FOOTPRINT.heartbeat_seconds):
            try:
                if not held.rows().update(lease_until=_lease()):
                    return
            except (OperationalError, InterfaceError):
                log.warning("heartbeat_missed", work=held.pk)
                connection.close()
    finally:
        connection.close()
