"""Which hunts and runs need someone: what the clock asked it asks again, until three in a row have failed."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet

from hunts.models import Hunt, Run

FAILURES_IN_A_ROW = 3


def in_trouble(hunts: QuerySet[Hunt]) -> QuerySet[Hunt]:
    """Scheduled ones that go on, and of whose last three runs none ended complete."""
    ended = Run.objects.filter(hunt=OuterRef("pk"), state__in=Run.ENDED).exclude(state=Run.State.CANCELLED)
    states = ArraySubquery(ended.order_by("-pk").values("state")[:FAILURES_IN_A_ROW])
    last = hunts.exclude(rhythm="").filter(paused_at=None).annotate(last_states=states)
    return last.filter(last_states__len=FAILURES_IN_A_ROW).exclude(  # type: ignore[misc]  # an array, whatever the plugin says
        last_states__contains=[Run.State.COMPLETE.value]
    )


def runs_in_trouble(since: datetime) -> QuerySet[Run]:
    """Those that a person asked for, or a hunt without a schedule, and that nothing asks again."""
    return Run.objects.filter(
        Q(opened_by__isnull=False) | Q(hunt__rhythm=""),
        state__in=[Run.State.PARTIAL, Run.State.FAILED],
        ended_at__gt=since,
    )
