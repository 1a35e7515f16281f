"""Processes by pid and start time, so that a pid that was given to another program is never mistaken."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, Signals
from typing import IO

POLL_SECONDS = 0.05
_PROC = Path("/proc")
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Process:
    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this pid now; None when none runs."""
        started = _start_time(pid)
        return None if started is None else cls(pid, started)

    def is_alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def command_line(self) -> list[str]:
        if _PROC.joinpath("self").exists():
            try:
                raw = _PROC.joinpath(str(self.pid), "cmdline").read_bytes()
            except OSError:
                return []
            return [os.fsdecode(part) for part in raw.split(b"\0") if part]
        return _ps("command", self.pid).split()

    def signal(self, number: Signals) -> None:
        if self.is_alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def is_of_this_boot(self) -> bool:
        return not _PROC.joinpath("self").exists() or self.started.startswith(f"{_boot()}:")

    def signal_group(self, number: Signals) -> None:
        """Signals the process group that the process leads, also when the leader itself is gone."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def wait(self, seconds: float) -> bool:
        """Whether the process ended within that time."""
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True


def any_works_in(folder: Path) -> bool:
    """Whether the working directory of some process is this folder. Always false where there is no /proc."""
    for link in _PROC.glob("[0-9]*/cwd"):
        try:
            if os.readlink(link) == str(folder):  # noqa: PTH115  # Path.readlink would spell it anew
                return True
        except OSError:
            # It ended meanwhile, or it is somebody else's.
            continue
    return False


def _start_time(pid: int) -> str | None:
    if not _PROC.joinpath("self").exists():
        return _ps("lstart", pid) or None
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold anything.
    fields = stat.rpartition(")")[2].split()
    state, ticks_since_boot = fields[0], fields[19]
    return None if state in "ZX" else f"{_boot()}:{ticks_since_boot}"


def _boot() -> str:
    return _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()


def _ps(column: str, pid: int) -> str:
    return subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes],
    environment: Mapping[str, str],
    keep: Sequence[int] = (),
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """A child in a session of its own that is told to end when this process dies, even by kill -9.

    `keep` are file descriptors that it inherits.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env=environment,
        pass_fds=keep,
        cwd=cwd,
        preexec_fn=_end_with_parent,  # safe: the supervisor has one thread
    )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, SIGTERM)
