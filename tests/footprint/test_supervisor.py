"""The supervisor with programs that behave badly; test_up.py has the real ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from footprint.processes import Process
from footprint.supervisor import MOST_RESTARTS, KeepsEnding, Program, Supervisor, end_leftovers
from tests.house import wait_until

SLEEPS = "import time; time.sleep(99)"
IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
)
LEAVES_A_CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]); "
# Starts a supervisor's program and waits to be killed.
PARENT = """
import json, sys, time
from pathlib import Path
from footprint.supervisor import Program, Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor(
    records=folder / "children.json", logs=folder, environment={}, keep=[], stop_seconds=5, say=print
)
supervisor.start([Program("sleeper", [sys.executable, "-c", sys.argv[2]])])
print("started", flush=True)
time.sleep(99)
"""


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(
        records=tmp_path / "children.json",
        logs=tmp_path,
        environment=os.environ,
        keep=[],
        stop_seconds=0.5,
        say=said.append,
    )
    yield supervisor
    supervisor.stop()


def python(name: str, code: str, *arguments: str) -> Program:
    return Program(name, [sys.executable, "-c", code, *arguments])


def recorded(folder: Path) -> list[Process]:
    return [Process(**record) for record in json.loads((folder / "children.json").read_text())]


def group_is_empty(leader: Process) -> bool:
    try:
        os.killpg(leader.pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_what_is_started_is_recorded_and_ends_with_the_supervisor(supervisor, tmp_path):
    supervisor.start([python("one", SLEEPS), python("two", SLEEPS)])
    started = recorded(tmp_path)
    assert [process.is_alive() for process in started] == [True, True]
    supervisor.stop()
    assert [process.is_alive() for process in started] == [False, False]
    assert not (tmp_path / "children.json").exists()


def test_a_program_that_ignores_sigterm_is_killed(supervisor, tmp_path):
    supervisor.start([python("deaf", IGNORES_SIGTERM + SLEEPS)])
    (deaf,) = recorded(tmp_path)
    wait_until(lambda: "deaf" in (tmp_path / "deaf.log").read_text())
    supervisor.stop()
    assert not deaf.is_alive()


def test_in_a_hurry_nobody_is_waited_for(tmp_path, supervisor):
    supervisor._stop_seconds = 999
    supervisor.start([python("deaf", IGNORES_SIGTERM + SLEEPS)])
    wait_until(lambda: "deaf" in (tmp_path / "deaf.log").read_text())
    (deaf,) = recorded(tmp_path)
    supervisor.stop(in_a_hurry=lambda: True)
    assert not deaf.is_alive()


def test_what_a_program_left_behind_is_killed_too(supervisor, tmp_path):
    supervisor.start([python("parent", LEAVES_A_CHILD + SLEEPS, SLEEPS)])
    (parent,) = recorded(tmp_path)
    supervisor.stop()
    wait_until(lambda: group_is_empty(parent))


def test_a_program_that_dies_is_started_again_and_said_so(supervisor, tmp_path, said):
    supervisor.start([python("web", SLEEPS)])
    (first,) = recorded(tmp_path)
    first.signal(signal.SIGKILL)
    wait_until(lambda: not first.is_alive())
    supervisor.watch()
    (second,) = recorded(tmp_path)
    assert second.pid != first.pid
    assert second.is_alive()
    assert said == [
        f"The web process ended (signal SIGKILL) and is started again; see {tmp_path / 'web.log'}."
    ]


def test_a_program_that_keeps_dying_is_given_up(supervisor, said):
    supervisor.start([python("web", "raise SystemExit(3)")])

    def gives_up() -> bool:
        try:
            supervisor.watch()
        except KeepsEnding as error:
            said.append(str(error))
            return True
        return False

    wait_until(gives_up)
    assert len(said) == MOST_RESTARTS + 1
    assert "keeps ending (exit code 3)" in said[-1]


def test_a_program_that_needs_two_signals_gets_them(supervisor, tmp_path):
    counts = (
        "import signal, sys, time\n"
        "def end(number, frame):\n"
        "    print(signal.Signals(number).name, flush=True)\n"
        "    number == signal.SIGQUIT and sys.exit()\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "signal.signal(signal.SIGQUIT, end)\n"
        "print('ready', flush=True)\n"
        "while True: time.sleep(1)"
    )
    supervisor.start([Program("worker", [sys.executable, "-c", counts], (signal.SIGTERM, signal.SIGQUIT))])
    log = tmp_path / "worker.log"
    wait_until(lambda: "ready" in log.read_text())
    supervisor.stop()
    assert log.read_text().split() == ["ready", "SIGTERM", "SIGQUIT"]


def test_a_killed_supervisor_takes_its_programs_along(tmp_path):
    parent = start_parent(tmp_path, SLEEPS)
    (child,) = recorded(tmp_path)
    kill(parent)
    wait_until(lambda: not child.is_alive())


def test_what_outlived_a_killed_supervisor_is_ended_by_the_next(tmp_path):
    parent = start_parent(tmp_path, IGNORES_SIGTERM + SLEEPS)
    (child,) = recorded(tmp_path)
    wait_until(lambda: "deaf" in (tmp_path / "sleeper.log").read_text())
    kill(parent)
    assert child.is_alive()
    assert end_leftovers(tmp_path / "children.json") == 1
    assert not child.is_alive()
    assert end_leftovers(tmp_path / "children.json") == 0


def test_a_program_that_got_the_number_of_an_old_one_is_left_alone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", SLEEPS], start_new_session=True) as stranger:
        identity = Process.of(stranger.pid)
        assert identity is not None
        old = {"pid": stranger.pid, "started": identity.started + "0"}
        (tmp_path / "children.json").write_text(json.dumps([old]))
        assert end_leftovers(tmp_path / "children.json") == 0
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("text", ["", "not json", "[1]", '[{"pid": 1}]', "{}"])
def test_unreadable_records_mean_nothing_was_left(tmp_path, text):
    (tmp_path / "children.json").write_text(text)
    assert end_leftovers(tmp_path / "children.json") == 0


def start_parent(folder: Path, code: str) -> subprocess.Popen[bytes]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder), code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"started\n"
    return parent


def kill(parent: subprocess.Popen[bytes]) -> None:
    parent.kill()
    parent.wait(30)
    assert parent.stdout is not None
    parent.stdout.close()
