from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

if TYPE_CHECKING:
    from hunts.models import Hunt, LookUp, Run, Slice, Source  # named in strings only


class SourceQuerySet(models.QuerySet["Source"]):
    def active(self) -> SourceQuerySet:
        """What may be asked: everything that is not paused."""
        return self.filter(paused_at=None)

    def refusing(self) -> SourceQuerySet:
        """What paused itself: somebody must act before it is asked again."""
        return self.filter(paused_at__isnull=False, paused_by=None).order_by("-paused_at")


class HuntQuerySet(models.QuerySet["Hunt"]):
    def scheduled(self) -> HuntQuerySet:
        return self.exclude(rhythm="")

    def due(self) -> HuntQuerySet:
        """Those whose time has come, in cases and at sources that are asked."""
        return self.filter(
            next_at__lte=Now(), paused_at=None, case__state__in=["open", "watching"], source__paused_at=None
        )


class LookUpQuerySet(models.QuerySet["LookUp"]):
    def to_be_asked(self) -> LookUpQuerySet:
        """What waits and may be asked, and what a lost worker left."""
        waits = Q(Q(not_before=None) | Q(not_before__lte=Now()), state="waiting")
        return self.filter(waits | Q(state="asking", lease_until__lt=Now()))


class RunQuerySet(models.QuerySet["Run"]):
    def cases_that_asked(self, source: Source, since: datetime) -> list[int]:
        """Numbers of the cases with a run at this source since then."""
        asked = self.filter(hunt__source=source, opened_at__gte=since)
        return sorted(asked.order_by().values_list("hunt__case_id", flat=True).distinct())

    def underway(self) -> RunQuerySet:
        return self.filter(state__in=["queued", "running"])


class SliceQuerySet(models.QuerySet["Slice"]):
    def unfinished(self) -> SliceQuerySet:
        return self.filter(state__in=["waiting", "asking"])
