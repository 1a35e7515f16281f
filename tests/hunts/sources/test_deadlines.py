"""A question ends when its time is up or somebody says so, whatever the service does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import Thread

import pytest

from hunts.sources.errors import Interrupted, SourceError, TimedOut
from hunts.sources.remote import RemoteAdapter
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import EVENTS, KINDS, ask, at_noon, open_kind, rows_of
from tests.lab.faults import Kind
from tests.lab.server import Lab

PATIENCE = 20.0
# Long enough that a question which only its deadline ended would be noticed.
LONG = 60.0


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    turn = threading.Event()
    while not holds():
        assert time.monotonic() < deadline
        turn.wait(0.01)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [Kind.HANG, Kind.DRIP])
def test_a_service_that_never_ends_is_left_at_the_deadline(open_lab: OpenLab, kind: str, fault: Kind) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(fault)
    with pytest.raises(TimedOut, match=r"^No whole answer within 0\.5 seconds\.$"):
        ask(open_kind(kind, lab), timeout=0.5)
    # The connection is gone, not only forgotten.
    wait_for(lambda: lab.counts.under_way == 0)


def _asking(adapter: RemoteAdapter, ended: list[Exception]) -> Thread:
    def run() -> None:
        try:
            ask(adapter, timeout=LONG)
        except SourceError as error:
            ended.append(error)

    thread = Thread(target=run)
    thread.start()
    return thread


def _under_way(lab: Lab, questions: int) -> None:
    wait_for(lambda: lab.counts.under_way == questions)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [Kind.HANG, Kind.DRIP])
def test_every_question_under_way_can_be_interrupted(open_lab: OpenLab, kind: str, fault: Kind) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(fault, 2)
    adapter = open_kind(kind, lab)
    ended: list[Exception] = []
    threads = [_asking(adapter, ended) for _ in range(2)]
    _under_way(lab, 2)
    adapter.interrupt()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert [type(error) for error in ended] == [Interrupted, Interrupted]


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_ends_no_later_question(open_lab: OpenLab, kind: str) -> None:
    adapter = open_kind(kind, open_lab(EVENTS, clock=at_noon))
    adapter.interrupt()
    assert len(rows_of(ask(adapter))) == len(EVENTS)


@pytest.mark.parametrize("kind", KINDS)
def test_questions_leave_no_threads_behind(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    adapter = open_kind(kind, lab)
    lab.fault(Kind.HANG)
    with pytest.raises(TimedOut):
        ask(adapter, timeout=0.5)
    ask(adapter)
    assert not [thread for thread in threading.enumerate() if thread.name == "watch"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_adapter_serves_several_threads(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    adapter = open_kind(kind, lab)
    answers: list[int] = []
    threads = [Thread(target=lambda: answers.append(len(rows_of(ask(adapter))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert answers == [len(EVENTS)] * 4
