"""Finds what a dead worker, a lost message or a broker outage left behind."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from cases.merging import settle_unsettled
from cases.models import Endpoint
from hunts import runs, slices, store_sweep
from hunts.hints import hint
from hunts.models import Run, Slice

log = structlog.get_logger(__name__)


def sweep() -> None:
    _take_back_lost()
    _hint_forgotten()
    _conclude_ended()
    _settle_left_over()
    store_sweep.sweep()


def _take_back_lost() -> None:
    with transaction.atomic():
        lost = Slice.objects.select_for_update(skip_locked=True).filter(
            state=Slice.State.ASKING, lease_until__lt=Now()
        )
        for each in lost.order_by("pk"):
            log.warning("lease_ran_out", slice=each.pk, worker=each.worker)
            slices.lose(each, settings.FOOTPRINT.max_losses)


def _hint_forgotten() -> None:
    long_ago = Now() - timedelta(seconds=settings.FOOTPRINT.sweep_seconds)
    forgotten = Slice.objects.filter(
        Q(hinted_at=None) | Q(hinted_at__lt=long_ago),
        Q(not_before=None) | Q(not_before__lte=Now()),
        state=Slice.State.WAITING,
        run__hunt__source__paused_at=None,
    )
    hint(list(forgotten.order_by("pk").values_list("pk", flat=True)))


def _conclude_ended() -> None:
    for run in Run.objects.underway().select_related("hunt").order_by("pk"):
        runs.cancel_left_over(run.pk)
        if not run.slices.unfinished().exists():
            settle_unsettled(run.hunt.case_id)
            runs.conclude(run.pk)


def _settle_left_over() -> None:
    for case_id in Endpoint.objects.unsettled().values_list("case_id", flat=True).distinct():
        settle_unsettled(case_id)
