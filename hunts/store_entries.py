"""Entries of what a store publishes, which happens on the disk and outside any transaction.

What the entry will say is noted before it, and written after it. Whoever finds a note that a process has left
looks whether its change was published: then the entry is written now, else there was nothing to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from django.db import transaction

from footprint.ledger.events import Event
from footprint.ledger.record import Actor, change
from hunts.adapters import store_of
from hunts.models import Source, StoreChange
from hunts.source_actions import subject_of

TOLD_LATER = "The process that did it ended before it had told."


@dataclass(frozen=True, slots=True)
class Telling:
    """One operation on a store: `note` before each time that it publishes, `tell` when it is over."""

    actor: Actor
    source: Source
    event: Event
    operation: UUID = field(default_factory=uuid4)

    def note(self, *, after: Mapping[str, object], before: Mapping[str, object] | None = None) -> None:
        """Only under the store's lock, right before it publishes."""
        tell_left_over(self.source, except_for=self.operation)
        with transaction.atomic():
            StoreChange.objects.create(
                source=self.source,
                operation=self.operation,
                revision=store_of(self.source).manifest().revision + 1,
                event=self.event.value,
                actor_kind=self.actor.kind,
                actor_id=self.actor.id,
                actor_name=self.actor.name,
                before=before,
                after=after,
            )

    def tell(self, *, after: Mapping[str, object], before: Mapping[str, object] | None = None) -> None:
        """Once: somebody who came upon the note may have told already."""
        with change(actor=self.actor) as ledger:
            noted = StoreChange.objects.select_for_update().filter(operation=self.operation)
            if StoreChange.objects.filter(pk__in=[each.pk for each in noted]).delete()[0]:
                ledger.add(self.event, subject_of(self.source), before=before, after=after)


def tell_left_over(source: Source, *, except_for: UUID | None = None) -> None:
    """Only under the store's lock: whoever has published and not told yet finds that it is told."""
    left = StoreChange.objects.filter(source=source)
    if except_for is not None:
        left = left.exclude(operation=except_for)
    for pk in list(left.values_list("pk", flat=True)):
        _tell(source, pk)


def has_left_over(source: Source) -> bool:
    return StoreChange.objects.filter(source=source).exists()


def _tell(source: Source, pk: int) -> None:
    noted = StoreChange.objects.filter(pk=pk).first()
    if noted is None:
        return
    if store_of(source).manifest().revision < noted.revision:
        noted.delete()
        return
    with change(actor=Actor(noted.actor_kind, noted.actor_id, noted.actor_name)) as ledger:
        if StoreChange.objects.filter(pk=pk).delete()[0]:
            ledger.add(
                Event(noted.event),
                subject_of(source),
                before=noted.before,
                after=noted.after,
                reason=TOLD_LATER,
            )
