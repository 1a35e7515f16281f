"""A process of its own that imports and stops at a numbered point, for others to kill it there.

python -m tests.hunts.telemetry.slow_import STORE EXPORT POINT
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from hunts.telemetry.progress import Progress
from hunts.telemetry.store import Store, import_files


def main(folder: str, export: str, point: str) -> None:
    reached = 0

    def stop_at_the_point(_: Progress) -> None:
        nonlocal reached
        reached += 1
        if reached == int(point):
            print("reached", flush=True)  # noqa: T201  # the other process reads it
            threading.Event().wait()

    import_files(Store(Path(folder)), [Path(export)], progress=stop_at_the_point)
    print("finished", flush=True)  # noqa: T201  # as above


main(*sys.argv[1:])
