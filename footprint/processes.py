"""Processes by pid and start time, so that a pid that was given to another program is never mistaken."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05
_PROC = Path("/proc")


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

    def signal(self, number: signal.Signals) -> None:
        if self.is_alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def signal_group(self, number: signal.Signals) -> None:
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


def _start_time(pid: int) -> str | None:
    if not _PROC.joinpath("self").exists():
        return _ps("lstart", pid) or None
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold anything.
    fields = stat.rpartition(")")[2].split()
    state, start_time = fields[0], fields[19]
    return None if state in "ZX" else start_time


def _ps(column: str, pid: int) -> str:
    return subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
