"""The folder of one test run: its data directory, and what is left of runs that were killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

from footprint.embedded import Home, stop_unused

PREFIX = "footprint-tests-"


def make_folder() -> tuple[Path, IO[bytes]]:
    """A new folder, and the lock that tells other runs that this one is still on."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = (folder / "run.lock").open("ab")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def remove_folder(folder: Path) -> None:
    stop_unused(Home(folder))
    shutil.rmtree(folder, ignore_errors=True)


def sweep_folders() -> None:
    """Ends and removes what killed test runs of this user have left."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/run.lock"):
        if path.stat().st_uid != os.geteuid():
            continue
        with path.open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            remove_folder(path.parent)
