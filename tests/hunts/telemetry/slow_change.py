"""A process of its own that changes a store and stops at a numbered point, for others to kill it there.

python -m tests.hunts.telemetry.slow_change STORE POINT import EXPORT | remove IMPORT | compact
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hunts.telemetry.importing import import_files
from hunts.telemetry.progress import Progress
from hunts.telemetry.store import Store
from hunts.telemetry.upkeep import compact, remove_import


def change(store: Store, action: str, argument: str, tell: Callable[[Progress], None]) -> object:
    if action == "import":
        return import_files(store, [Path(argument)], progress=tell)
    if action == "remove":
        return remove_import(store, argument, progress=tell)
    return compact(store, progress=tell)


def main(folder: str, point: str, action: str, argument: str) -> None:
    reached = 0

    def stop_at_the_point(_: Progress) -> None:
        nonlocal reached
        reached += 1
        if reached == int(point):
            print("reached", flush=True)  # noqa: T201  # the other process reads it
            threading.Event().wait()

    change(Store(Path(folder), grace=timedelta(0)), action, argument, stop_at_the_point)
    print("finished", flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    main(*sys.argv[1:])
