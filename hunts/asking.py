"""One worker, one slice: claim it, ask the source outside any transaction, finish it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from cases.merging import RowToMerge, settle_unsettled
from footprint.ledger.record import Actor
from hunts import claims, limiter, runs, slices
from hunts.adapters import adapter_for
from hunts.claims import Claim, FencedOff
from hunts.hints import hint
from hunts.kql.cells import UnreadableCell
from hunts.kql.files import AskedFile, FileKind
from hunts.kql.footprint import Query, footprint_query
from hunts.kql.plan import plan_query, plan_slices, read_plan
from hunts.kql.rows import MissingColumn, Row, read_rows
from hunts.kql.window import Window
from hunts.limiter import Holder, NoTurn, TurnLost, name_of
from hunts.models import Slice
from hunts.slices import MOST_TIMEOUTS, Cost
from hunts.source_actions import pause_source
from hunts.sources.base import Adapter, Answer
from hunts.sources.errors import (
    Interrupted,
    OutOfRetention,
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Truncated,
)

log = structlog.get_logger(__name__)

# How often a worker looks whether its run is being cancelled; a cancel is promised within 5 seconds.
LOOK_SECONDS = 2.0
RETRY_SECONDS = (5.0, 30.0, 120.0)
# A wake-up call this much after a pause finds it over.
_AFTER_A_PAUSE = 0.2
# How often a question that nobody wants is told so, until it ends.
_TELL_SECONDS = 0.2
# What goes wrong on our side of an answer: a full disk, a value the database refuses, time that is up.
_OURS = (OSError, ArithmeticError, ValueError, DatabaseError, SoftTimeLimitExceeded)


def ask_slice(slice_id: int, worker: str) -> None:
    """Does the slice if it is there to be had; returns quietly when someone else has it."""
    held = claims.claim(slice_id, worker)
    if held is None:
        return
    asked = Slice.objects.select_related("run__hunt__source").get(pk=slice_id)
    try:
        _ask_and_finish(held, asked)
    except FencedOff:
        log.warning("slice_fenced_off", slice=slice_id, fence=held.fence)
        return
    settle_unsettled(asked.run.hunt.case_id)
    runs.conclude(held.run_id)


def _ask_and_finish(held: Claim, asked: Slice) -> None:
    if asked.run.timeouts >= MOST_TIMEOUTS:
        said = f"Not asked: {asked.run.timeouts} questions in a row had no answer in time."
        slices.fail(held, said=said)
        return
    try:
        if asked.purpose == Slice.Purpose.PLAN:
            hint(_plan(held, asked))
        else:
            _ask_days(held, asked)
    except TurnLost:
        slices.give_back(held, said="", wait_seconds=0, counts=False)
    except NoTurn as error:
        slices.give_back(held, said=error.said, wait_seconds=error.wait_seconds, counts=False)
        hint([held.slice_id], after_seconds=error.wait_seconds + _AFTER_A_PAUSE)
    except SourceError as error:
        _take_failure(held, asked, error)
    except (MissingColumn, UnreadableCell) as error:
        slices.fail(held, said=f"The answer could not be read. {error}")
    except _OURS as error:
        # The page must name the cause; the log has the whole of it.
        slices.give_back(
            held, said=f"{type(error).__name__}: {error}"[:500], wait_seconds=RETRY_SECONDS[0], counts=True
        )
        raise


def _plan(held: Claim, asked: Slice) -> list[int]:
    window = Window.days(asked.first_day, asked.last_day)
    adapter = adapter_for(asked.run.hunt.source)
    query = plan_query(files_of(asked), window, adapter.dialect)
    with _heartbeat(held, asked, adapter) as given_up:
        answer, rows = _ask(held, asked, adapter, query, given_up)
    if answer.partial is not None:
        # Days that are missing from it would pass for quiet ones.
        _try_again(held, asked, f"The plan came back in part, which proves nothing. “{answer.partial}”")
        return []
    plan = plan_slices(read_plan(rows), window, settings.FOOTPRINT.slice_groups)
    return slices.finish_plan(held, plan, _cost(query, answer, len(rows)))


def _ask_days(held: Claim, asked: Slice) -> None:
    window = Window.days(asked.first_day, asked.last_day)
    adapter = adapter_for(asked.run.hunt.source)
    files = files_of(asked)
    query = footprint_query(files, window, adapter.dialect, asked.part)
    keys = {file.key for file in files}
    with _heartbeat(held, asked, adapter) as given_up:
        answer, cells = _ask(held, asked, adapter, query, given_up)
        rows = [_to_merge(asked.file_kind, row) for row in read_rows(answer.columns, cells, keys)]
    in_part = answer.partial is not None
    if in_part and asked.attempts + 1 < settings.FOOTPRINT.max_attempts:
        _try_again(held, asked, f"The source answered in part. “{answer.partial}”")
        return
    # From here on the slice's row lock holds the claim; the heartbeat would only wait for it.
    slices.finish_days(held, rows, _cost(query, answer, len(rows)), in_part=in_part)


def _ask(
    held: Claim, asked: Slice, adapter: Adapter, query: Query, given_up: threading.Event
) -> tuple[Answer, list[tuple[object, ...]]]:
    """All rows that came, in memory: nothing may be merged before it is known whether they are all."""
    window = Window.days(asked.first_day, asked.last_day)
    with limiter.turn(_holder(held, asked), given_up):
        claims.note_question(held, query.text)
        answer = adapter.ask(query, window, timeout=settings.FOOTPRINT.ask_timeout_seconds)
        rows = list(answer.rows)
    return answer, rows


def _holder(held: Claim, asked: Slice) -> Holder:
    return Holder(asked.run.hunt.source, name_of(held.slice_id, held.fence))


def _take_failure(held: Claim, asked: Slice, error: SourceError) -> None:
    log.warning("source_failed", slice=held.slice_id, error=type(error).__name__, said=str(error))
    said = error.words
    match error:
        case Interrupted():
            slices.give_back(held, said="", wait_seconds=0, counts=False)
        case Throttled():
            _leave_alone(held, asked, said, error.retry_after)
        case Truncated() | TimedOut():
            hint(slices.split(held, said=said, timed_out=isinstance(error, TimedOut)))
        case OutOfRetention():
            slices.out_of_retention(held, said=said)
        case Refused():
            slices.fail(held, said=said)
            pause_source(actor=Actor.run(held.run_id), source=asked.run.hunt.source, because=said)
            slices.fail_waiting(held.run_id, said=said)
        case Rejected():
            # The same question would end the same way.
            slices.fail(held, said=said)
        case _:
            _try_again(held, asked, said)


def _leave_alone(held: Claim, asked: Slice, said: str, seconds: float) -> None:
    """Everybody leaves the source alone for so long. Not all come back in the same moment."""
    source = asked.run.hunt.source
    limiter.pause(source, seconds)
    wait = seconds * random.uniform(1.0, 1.1)  # noqa: S311  # no secret
    slices.throttle(held, source, said=said, wait_seconds=wait)
    hint([held.slice_id], after_seconds=wait + _AFTER_A_PAUSE)


def _try_again(held: Claim, asked: Slice, said: str) -> None:
    wait = RETRY_SECONDS[min(asked.attempts, len(RETRY_SECONDS) - 1)]
    slices.give_back(held, said=said, wait_seconds=wait, counts=True)
    hint([held.slice_id], after_seconds=wait + _AFTER_A_PAUSE)


def files_of(asked: Slice) -> list[AskedFile]:
    """The files of the slice's hunt that its query asks for, in the order the case names them."""
    named = asked.run.hunt.files.filter(kind=asked.file_kind).order_by("pk")
    return [AskedFile(FileKind(file.kind), file.text, file.key) for file in named]


def _cost(query: Query, answer: Answer, rows: int) -> Cost:
    return Cost(query.text, rows, answer.bytes, answer.seconds, answer.said)


_SHARED = [field.name for field in fields(Row) if field.name in {each.name for each in fields(RowToMerge)}]


def _to_merge(file_kind: str, row: Row) -> RowToMerge:
    return RowToMerge(file_kind=file_kind, **{name: getattr(row, name) for name in _SHARED})


@contextmanager
def _heartbeat(held: Claim, asked: Slice, adapter: Adapter) -> Iterator[threading.Event]:
    """Renews the lease, and the turn at the source, beside the asking; interrupts it when the slice is
    lost or the run cancelled. What it yields is set then."""
    stop, given_up = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=_beat, args=(held, asked, adapter, stop, given_up), name="heartbeat", daemon=True
    )
    thread.start()
    try:
        yield given_up
    finally:
        stop.set()
        thread.join()


def _beat(
    held: Claim, asked: Slice, adapter: Adapter, stop: threading.Event, given_up: threading.Event
) -> None:
    pause = min(LOOK_SECONDS, settings.FOOTPRINT.heartbeat_seconds)
    try:
        while not stop.wait(pause):
            try:
                goes_on = claims.renew(held)
            except (OperationalError, InterfaceError):
                # The lease may run out meanwhile; then the fence keeps this worker from writing.
                log.warning("heartbeat_missed", slice=held.slice_id)
                connection.close()
                continue
            if not goes_on:
                given_up.set()
                break
            limiter.renew(_holder(held, asked))
        # One that begins only now, or comes between two steps, must be told too.
        while not stop.is_set() and given_up.is_set():
            adapter.interrupt()
            stop.wait(_TELL_SECONDS)
    finally:
        connection.close()
