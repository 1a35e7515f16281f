"""Processes that append at the same time, one of which is killed at random moments.

    python -m tests.footprint.ledger.writers FOLDER PROCESSES ENTRIES KILLS

Each process notes in FOLDER what it appended, after the commit. Whoever is killed begins anew behind that.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import django


def main(folder: Path, processes: int, entries: int, kills: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "footprint.settings")
    django.setup()
    running = {fork(folder, number, entries): number for number in range(processes)}
    while kills and running:
        time.sleep(random.uniform(0.05, 0.4))
        victim = next((pid for pid, number in running.items() if number == 0), None)
        if victim is None:
            break
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        del running[victim]
        running[fork(folder, 0, entries)] = 0
        kills -= 1
    for pid in running:
        _, status = os.waitpid(pid, 0)
        if status:
            sys.exit(1)


def fork(folder: Path, number: int, entries: int) -> int:
    """No connection is open yet, so that each process opens its own."""
    pid = os.fork()
    if pid:
        return pid
    try:
        append(folder / f"writer-{number}", number, entries)
    except BaseException as error:  # noqa: BLE001  # the process ends here, whatever it was
        sys.stderr.write(f"{error!r}\n")
        os._exit(1)
    os._exit(0)


def append(done: Path, number: int, entries: int) -> None:
    from footprint.ledger.events import Event
    from footprint.ledger.record import Actor, Subject, change

    with done.open("a") as notes:
        for step in range(len(done.read_text().splitlines()), entries):
            name = f"{number} {step} {os.getpid()}"
            with change(actor=Actor.command("writers")) as ledger:
                ledger.add(Event.CASE_OPENED, Subject("case", str(step), name))
            notes.write(f"{name}\n")
            notes.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
