from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from footprint.embedded.home import EmbeddedError
from footprint.processes import POLL_SECONDS

START_SECONDS = 60
STOP_SECONDS = 30
RETRY_SECONDS = 10
LARGEST_LOG = 16 * 1024 * 1024


def launch(
    name: str,
    command: Sequence[str],
    log: Path,
    answers: Callable[[], bool],
    *,
    cwd: Path | str = "/",
    **identity: Any,
) -> None:
    """Starts a server in a session of its own, so that Ctrl-C in a terminal does not reach it."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    deadline = time.monotonic() + START_SECONDS
    while True:
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=cwd,
                env=plain_environment(),
                **identity,
            )
        try:
            answering = _answers_or_ends(child, answers, deadline)
        except BaseException:
            child.kill()
            child.wait()
            raise
        if answering:
            # It outlives this process when others use it: nobody waits for it here, stop() does.
            child.returncode = 0
            return
        # Children of a server that was killed may hold its memory a moment longer.
        if time.monotonic() > deadline - START_SECONDS + RETRY_SECONDS:
            said = last_line(log.read_text(errors="replace"))
            raise EmbeddedError(f"{name} does not start: {said} See {log}.")
        time.sleep(1)


def _answers_or_ends(child: subprocess.Popen[bytes], answers: Callable[[], bool], deadline: float) -> bool:
    """Whether the server answers; it is not left running when it does not in time."""
    while child.poll() is None:
        if answers():
            return True
        if time.monotonic() > deadline:
            child.kill()
            child.wait()
        time.sleep(POLL_SECONDS)
    return False


def soon(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing."


def plain_environment() -> Mapping[str, str]:
    """Neither a PGHOST of the caller nor a locale this machine lacks may reach the servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def wheel(module: str, distribution: str) -> Path:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise EmbeddedError(
            f"The package {distribution} is not installed; give DATABASE_URL and REDIS_URL, or run make demo."
        )
    return Path(found.origin).parent
