from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from hunts.models import Run, Slice, Source  # noqa: F401  # named in strings only


class SourceQuerySet(models.QuerySet["Source"]):
    def active(self) -> SourceQuerySet:
        """What may be asked: everything that is not paused."""
        return self.filter(paused_at=None)


class RunQuerySet(models.QuerySet["Run"]):
    def underway(self) -> RunQuerySet:
        return self.filter(state__in=["queued", "running"])


class SliceQuerySet(models.QuerySet["Slice"]):
    def unfinished(self) -> SliceQuerySet:
        return self.filter(state__in=["waiting", "asking"])
