"""Finds work on stores that was left behind, and stores with something due."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.db.models.functions import Now

from footprint.waking import wake
from hunts import store_work, uploads
from hunts.models import Removal, Source, StoreWork, Upload
from hunts.telemetry.errors import TelemetryError
from hunts.upkeep import tend_store

log = structlog.get_logger(__name__)

_TASKS: dict[type[StoreWork], str] = {
    Upload: "hunts.tasks.import_upload",
    Removal: "hunts.tasks.remove_import",
}


def hint_work(kind: type[Upload] | type[Removal], ids: Sequence[int]) -> bool:
    """Tells the workers to look at it. Returns whether the broker took the messages."""
    if not all(wake(_TASKS[kind], each) for each in ids):
        return False
    kind.objects.filter(pk__in=ids, state=StoreWork.State.WAITING).update(hinted_at=Now())
    return True


def sweep() -> None:
    store_work.take_back_lost()
    for kind in store_work.KINDS:
        hint_work(kind, store_work.forgotten(kind))
    uploads.remove_abandoned()


def hint_upkeep() -> None:
    wake("hunts.tasks.tend_stores")


def tend_stores() -> None:
    for source in Source.objects.filter(kind=Source.Kind.LOCAL):
        try:
            tend_store(source)
        except (TelemetryError, OSError) as error:
            # The other stores are not to suffer; the page of this one says what is wrong.
            log.warning("store_not_tended", source=source.slug, said=str(error))
