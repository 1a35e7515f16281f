from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from hunts.models import Run, Slice  # noqa: F401  # named in strings only


class RunQuerySet(models.QuerySet["Run"]):
    def underway(self) -> RunQuerySet:
        return self.filter(state__in=["queued", "running"])


class SliceQuerySet(models.QuerySet["Slice"]):
    def unfinished(self) -> SliceQuerySet:
        return self.filter(state__in=["waiting", "asking"])
