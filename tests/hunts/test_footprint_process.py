"""`manage.py footprint` as people start it: a process of its own, with its exit status."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from footprint.configuration import CHECKOUT
from hunts.adapters import store_of
from hunts.models import Source
from tests.house import FreshDatabase
from tests.hunts.telemetry_lines import Event, event

MakeSource = Callable[[Iterable[Event]], Source]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
COMMAND = (sys.executable, "-W", "error", "manage.py", "footprint")


def footprint(database: FreshDatabase, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *words],
        cwd=CHECKOUT,
        env=dict(database.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_exit_status_says_how_it_went(fresh_database: FreshDatabase, make_source: MakeSource) -> None:
    source = make_source([event("a.exe", NOON, "192.0.2.1", "größe.example")])
    found = footprint(fresh_database, "a.exe", "--source", source.slug, "--raw", "--format", "csv")
    assert (found.returncode, found.stdout, found.stderr) == (0, "IP,DNS\n192.0.2.1,größe.example\n", "")

    bad = footprint(fresh_database, "/usr/bin/a.exe", "--source", source.slug)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.splitlines() == [
        "CommandError: '/usr/bin/a.exe': This is a path. Give the file name alone: a.exe"
    ]

    (file,) = store_of(source).parquet_files()
    file.write_bytes(b"broken")
    failed = footprint(fresh_database, "a.exe", "--source", source.slug)
    assert (failed.returncode, failed.stdout) == (3, "")
    assert len(failed.stderr.splitlines()) == 1


def test_a_reader_that_leaves_early_is_no_failure(
    fresh_database: FreshDatabase, make_source: MakeSource
) -> None:
    events = [event("a.exe", NOON, "", f"host-{number}{'x' * 200}.example") for number in range(1000)]
    source = make_source(events)
    with subprocess.Popen(
        [*COMMAND, "a.exe", "--source", source.slug],
        cwd=CHECKOUT,
        env=dict(fresh_database.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_terminal_sees_a_table_that_cuts_nothing(
    fresh_database: FreshDatabase, make_source: MakeSource
) -> None:
    long = "y" * 200 + ".example"
    source = make_source([event("a.exe", NOON, "192.0.2.1", long)])
    seen, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "a.exe", "--source", source.slug, "--raw"],
        cwd=CHECKOUT,
        env={**fresh_database.environment, "COLUMNS": "80", "TERM": "xterm"},
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    output = read_until_closed(seen)
    assert process.wait(60) == 0
    assert output.count("y") >= 200
    assert "…" not in output
    assert "1 pair." in output


def read_until_closed(handle: int) -> str:
    pieces = []
    try:
        while piece := os.read(handle, 65536):
            pieces.append(piece)
    except OSError:
        # How a pseudo-terminal says that its other end is closed.
        pass
    finally:
        os.close(handle)
    return b"".join(pieces).decode()
