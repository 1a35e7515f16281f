"""Runs at a lab, done in the process of the test by the code of a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models.functions import Now
from redis import Redis

from cases.case_actions import FileText
from cases.models import CaseValue, Endpoint, Sighting
from hunts import asking, runs
from hunts.actions import LookBack, open_case
from hunts.models import Run, Slice, Source
from tests.hunts.conftest import make_person

MOST_STEPS = 3_000


def open_at(source: Source, *names: str, look_back: int = 10, username: str = "rui") -> Run:
    return open_case(
        actor=make_person(username),
        title="A case",
        why="",
        files=[FileText("name", name, name.lower()) for name in names],
        source=source,
        look_back=LookBack(look_back),
    )


def work_off(
    run: Run, valkey: Redis, *, choose: Callable[[list[Slice]], Slice] = lambda them: them[0]
) -> Run:
    """Every pause is over at once: the next slice is always due."""
    for _ in range(MOST_STEPS):
        run.slices.filter(state=Slice.State.WAITING).update(not_before=None)
        waiting = list(run.slices.filter(state=Slice.State.WAITING).defer("kql").order_by("pk"))
        if not waiting:
            break
        for key in valkey.keys("footprint:limiter:*:paused"):
            valkey.delete(key)
        asking.ask_slice(choose(waiting).pk, "worker 1")
    runs.conclude(run.pk)
    run.refresh_from_db()
    return run


def plan_of(run: Run) -> None:
    asking.ask_slice(run.slices.get(purpose=Slice.Purpose.PLAN).pk, "worker 1")


def let_be_asked(run: Run) -> None:
    run.slices.filter(state=Slice.State.WAITING).update(not_before=Now())


def kept(case_id: int) -> dict[str, Any]:
    """What a case holds, without ids and times of writing; sets below their caps are part of it."""
    endpoint_fields = (
        "file__key",
        "ip",
        "dns",
        "first_seen",
        "last_seen",
        "devices",
        "ports",
        "raw_names",
        "more",
    )
    sighting_fields = ("day", "events", "active_hours", "devices", "first_seen", "last_seen")
    value_fields = ("value", "endpoints", "events", "days", "devices", "ports", "strip", "verdict")
    of_case = Endpoint.objects.filter(case=case_id)
    return {
        "endpoints": sorted(map(str, of_case.values_list(*endpoint_fields))),
        "sightings": sorted(
            map(
                str,
                Sighting.objects.filter(endpoint__case=case_id).values_list(
                    "endpoint__dns", "endpoint__ip", *sighting_fields
                ),
            )
        ),
        "values": sorted(map(str, CaseValue.objects.filter(case=case_id).values_list(*value_fields))),
    }
