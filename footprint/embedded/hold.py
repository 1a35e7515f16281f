from __future__ import annotations

import fcntl
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from footprint.embedded.home import Home
from footprint.embedded.postgres import Postgres
from footprint.embedded.valkey import Valkey


class Hold:
    """Keeps the servers up while it is held. Processes that inherit `lock` hold them too."""

    def __init__(
        self, home: Home, *, postgres: bool = True, valkey: bool = True, durable: bool = True
    ) -> None:
        self.home = home
        self.lock: IO[bytes] | None = None
        self._servers: list[Postgres | Valkey] = []
        if postgres:
            self._servers.append(Postgres(home, durable=durable))
        if valkey:
            self._servers.append(Valkey(home))

    def __enter__(self) -> Self:
        if not self._servers:
            return self
        self.home.make()
        try:
            with Locked(self.home.start_lock):
                self.lock = self.home.users_lock.open("ab")
                fcntl.flock(self.lock, fcntl.LOCK_SH)
                self._start()
        except BaseException:
            # Also on Ctrl-C: what was started meanwhile must not stay.
            self._leave()
            raise
        return self

    def ensure(self) -> list[str]:
        """Starts again what has died meanwhile; the names of the servers that had."""
        if not self._servers:
            return []
        with Locked(self.home.start_lock):
            return self._start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _start(self) -> list[str]:
        return [server.name for server in self._servers if server.start()]

    def _leave(self) -> None:
        if self.lock is not None:
            self.lock.close()
            self.lock = None
            stop_unused(self.home)


def stop_unused(home: Home) -> None:
    """Stops the servers when nobody holds them."""
    with Locked(home.start_lock), home.users_lock.open("ab") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        Valkey(home).stop()
        Postgres(home).stop()
        shutil.rmtree(home.run_dir, ignore_errors=True)


class Locked:
    """Holds an exclusive lock on a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()
