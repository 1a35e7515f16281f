"""Web, worker and beat of one machine: started, watched, started again when they die, ended together."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from footprint.processes import POLL_SECONDS, Process, spawn

# More deaths than this within the time mean that starting again does not help.
MOST_RESTARTS = 5
RESTART_WINDOW_SECONDS = 300
LARGEST_LOG = 16 * 1024 * 1024
LEFTOVER_SECONDS = 5


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    # What it is sent, one after the other, until it ends; then it is killed.
    farewell: Sequence[signal.Signals] = (signal.SIGTERM,)


@dataclass
class Child:
    program: Program
    process: subprocess.Popen[bytes]
    identity: Process | None
    restarts: deque[float] = field(default_factory=deque)


class KeepsEnding(Exception):
    """A program dies again and again; the text names it and its log."""


class Supervisor:
    def __init__(
        self,
        *,
        records: Path,
        logs: Path,
        environment: Mapping[str, str],
        keep: Sequence[int],
        stop_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        self._records = records
        self._logs = logs
        self._environment = environment
        self._keep = keep
        self._stop_seconds = stop_seconds
        self._say = say
        self._children: list[Child] = []

    def start(self, programs: Sequence[Program]) -> None:
        for program in programs:
            process = self._spawn(program)
            self._children.append(Child(program, process, Process.of(process.pid)))
            self._record()

    def watch(self) -> None:
        """Starts again what has ended; KeepsEnding when that does not help."""
        for child in self._children:
            code = child.process.poll()
            if code is not None:
                self._revive(child, code)

    def stop(self, in_a_hurry: Callable[[], bool] = lambda: False) -> None:
        """Tells all of them to end, in the order they were started; at once when in a hurry."""
        for number in range(max((len(child.program.farewell) for child in self._children), default=0)):
            for child in self._children:
                if child.process.poll() is None and number < len(child.program.farewell):
                    child.process.send_signal(child.program.farewell[number])
            self._await_end(in_a_hurry)
        for child in self._children:
            _kill_group(child)
        self._children.clear()
        self._records.unlink(missing_ok=True)

    def _await_end(self, in_a_hurry: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._stop_seconds
        while any(child.process.poll() is None for child in self._children):
            if time.monotonic() > deadline or in_a_hurry():
                return
            time.sleep(POLL_SECONDS)

    def log_of(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"

    def _revive(self, child: Child, code: int) -> None:
        name, log = child.program.name, self.log_of(child.program)
        _kill_group(child)
        now = time.monotonic()
        child.restarts.append(now)
        while child.restarts[0] < now - RESTART_WINDOW_SECONDS:
            child.restarts.popleft()
        if len(child.restarts) > MOST_RESTARTS:
            raise KeepsEnding(f"The {name} process keeps ending ({_ending(code)}); see {log}.")
        self._say(f"The {name} process ended ({_ending(code)}) and is started again; see {log}.")
        child.process = self._spawn(child.program)
        child.identity = Process.of(child.process.pid)
        self._record()

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        log = self.log_of(program)
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            return spawn(program.command, log=output, environment=self._environment, keep=self._keep)

    def _record(self) -> None:
        records = [asdict(child.identity) for child in self._children if child.identity]
        draft = self._records.with_suffix(".draft")
        draft.write_text(json.dumps(records))
        draft.replace(self._records)


def end_leftovers(records: Path) -> int:
    """Ends what a killed supervisor left behind; how many programs there were."""
    try:
        left = [Process(**record) for record in json.loads(records.read_text())]
    except (OSError, ValueError, TypeError):
        return 0
    alive = [process for process in left if process.is_alive()]
    for process in alive:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + LEFTOVER_SECONDS
    for process in alive:
        process.wait(max(0.0, deadline - time.monotonic()))
    for process in left:
        # A group whose leader is gone keeps the leader's number from being given away; a number that
        # another program has now is left alone.
        if process.is_of_this_boot() and (process.is_alive() or Process.of(process.pid) is None):
            process.signal_group(signal.SIGKILL)
    for process in alive:
        process.wait(LEFTOVER_SECONDS)
    records.unlink(missing_ok=True)
    return len(alive)


def _kill_group(child: Child) -> None:
    """Also what a program has started itself and did not take along."""
    if child.identity is not None:
        child.identity.signal_group(signal.SIGKILL)
    child.process.wait()


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
