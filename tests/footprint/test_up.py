"""`manage.py up`: the real supervisor with its real children, really killed."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from footprint.embedded import Home
from tests.house import Processes, Started, answers, free_port, wait_until

LAST_LINE = "Ctrl-C ends all of it."


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data directory; whatever still works on it afterwards is killed, but that is a fault."""
    data = tmp_path / "data"
    yield data
    left = working_on(data)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []


def working_on(data: Path) -> list[int]:
    """Every process that was started for this data directory: it is in the environment of all of them."""
    own = f"FOOTPRINT_DATA={data}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if own in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def environment_of(data: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "PORT")}
    return (
        kept
        | {"FOOTPRINT_DATA": str(data), "FOOTPRINT_WEB_PROCESSES": "1", "FOOTPRINT_WORKER_PROCESSES": "1"}
        | more
    )


def up(processes: Processes, data: Path, port: int, *arguments: str, **more: str) -> Started:
    return processes.start(
        "manage.py", "up", "--port", str(port), *arguments, environment=environment_of(data, **more)
    )


def ready(started: Started, port: int) -> None:
    wait_until(lambda: LAST_LINE in started.said() or started.process.poll() is not None)
    assert LAST_LINE in started.said()
    assert answers(f"http://127.0.0.1:{port}/healthz")


def pid_of(data: Path, part: str) -> int:
    """The one process of this data directory that leads its session and has `part` in its command line."""
    for pid in working_on(data):
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        if part in line and os.getsid(pid) == pid:
            return pid
    raise AssertionError(part)


def test_sigterm_ends_everything(processes, data):
    port = free_port()
    house = up(processes, data, port)
    ready(house, port)
    assert f"http://127.0.0.1:{port}" in house.said()
    assert str(data) in house.said()
    house.process.terminate()
    assert house.process.wait(60) == 0
    assert working_on(data) == []
    assert house.said().rstrip().endswith("Footprint has ended.")


def test_ctrl_c_while_it_is_starting_ends_everything(processes, data):
    house = up(processes, data, free_port())
    wait_until(lambda: (data / "postgres" / "postmaster.pid").exists())
    house.process.send_signal(signal.SIGINT)
    assert house.process.wait(60) == 0
    assert working_on(data) == []
    assert "Traceback" not in house.said()


def test_a_long_path_a_tight_umask_and_a_bare_locale_make_no_difference(processes, tmp_path):
    data = tmp_path / ("long" * 25) / "with space"
    before = os.umask(0o077)
    try:
        port = free_port()
        house = up(processes, data, port, LANG="C", LC_ALL="C")
    finally:
        os.umask(before)
    ready(house, port)
    house.stop(60)
    assert working_on(data) == []


def test_a_killed_supervisor_heals_with_the_next_start(processes, data):
    port = free_port()
    first = up(processes, data, port)
    ready(first, port)
    with Home(data).connect("footprint") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    first.process.kill()
    first.process.wait(30)
    second = up(processes, data, port)
    ready(second, port)
    with Home(data).connect("footprint") as connection:
        assert connection.execute("SELECT seven FROM kept").fetchone() == (7,)
    second.stop(60)


def test_what_dies_is_started_again(processes, data):
    port = free_port()
    house = up(processes, data, port)
    ready(house, port)
    os.kill(pid_of(data, "gunicorn"), signal.SIGKILL)
    wait_until(lambda: "The web process ended (signal SIGKILL) and is started again" in house.said())
    os.kill(pid_of(data, "postgres"), signal.SIGKILL)
    wait_until(lambda: "PostgreSQL had ended and is started again" in house.said())
    wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
    house.stop(60)


def test_two_houses_stand_beside_each_other(processes, tmp_path):
    started = []
    for name in ("one", "two"):
        port = free_port()
        started.append((up(processes, tmp_path / name, port), port))
    for house, port in started:
        ready(house, port)
    for house, _ in started:
        house.stop(60)
    assert working_on(tmp_path / "one") + working_on(tmp_path / "two") == []


def test_a_second_start_from_the_same_data_is_refused(processes, data):
    port = free_port()
    first = up(processes, data, port)
    ready(first, port)
    second = up(processes, data, free_port())
    assert second.process.wait(60) == 2
    assert "already runs" in second.said()
    assert len(second.said().splitlines()) == 1
    assert answers(f"http://127.0.0.1:{port}/healthz")
    first.stop(60)


def test_a_port_in_use_is_one_sentence(processes, data):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        house = up(processes, data, port)
        assert house.process.wait(60) == 2
    assert house.said().splitlines() == [
        f"CommandError: Port {port} is in use; choose another: PORT=8123 make demo."
    ]


@pytest.mark.parametrize("port", ["0", "65536", "²"])
def test_a_port_that_is_none_is_refused(processes, data, port):
    house = processes.start("manage.py", "up", f"--port={port}", environment=environment_of(data))
    assert house.process.wait(60) == 2
    assert "is not a port" in house.said()


def test_no_demo_people_are_made_on_a_server(processes, data):
    house = up(
        processes,
        data,
        free_port(),
        "--demo",
        DATABASE_URL="postgresql://footprint@127.0.0.1:1/footprint",
        SECRET_KEY="correct-horse-battery-staple-0123456789-abcdefghijklmnop",
        FOOTPRINT_HOSTS="footprint.example.com",
    )
    assert house.process.wait(60) == 1
    assert "not where DATABASE_URL is set" in house.said()


def test_a_database_that_does_not_answer_is_said_with_a_hint(processes, data):
    house = up(
        processes,
        data,
        free_port(),
        DATABASE_URL="postgresql://footprint@127.0.0.1:1/footprint",
        SECRET_KEY="correct-horse-battery-staple-0123456789-abcdefghijklmnop",
        FOOTPRINT_HOSTS="footprint.example.com",
    )
    assert house.process.wait(60) == 1
    assert "footprint.E002" in house.said()
    assert "DATABASE_URL" in house.said()
