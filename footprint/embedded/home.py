from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import psycopg

OWNER = "footprint"
DATABASE = "footprint"
# Only a part of the socket's name: nothing listens on it.
PORT = 5432


class EmbeddedError(Exception):
    """The servers of this machine cannot run; the text is one sentence for people."""


class Home:
    """Where the servers of one data directory keep their things."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = Path(os.path.realpath(data_dir))
        # The path of a Unix socket ends at 107 bytes, a data directory may be deeper than that. The name
        # does not depend on the session, so that every command finds the same sockets.
        name = hashlib.sha256(
            f"{os.geteuid()}:{self.data_dir}".encode("utf-8", "surrogateescape")
        ).hexdigest()[:16]
        self.run_dir = Path("/tmp") / f"footprint-{name}"  # noqa: S108  # owner and mode are checked before use
        self.logs = self.data_dir / "logs"
        self.users_lock = self.data_dir / "servers.users"
        self.start_lock = self.data_dir / "servers.start"

    @property
    def postgres_run_dir(self) -> Path:
        return self.run_dir / "postgres"

    @property
    def valkey_socket(self) -> Path:
        return self.run_dir / "valkey.sock"

    @property
    def children(self) -> Path:
        """Which processes `manage.py up` has started."""
        return self.run_dir / "children.json"

    def database(self, name: str = DATABASE) -> dict[str, Any]:
        """Django's settings of a database of the embedded PostgreSQL."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": OWNER,
            "PASSWORD": "",
            "HOST": str(self.postgres_run_dir),
            # Said in full, so that no PGPORT of the caller counts.
            "PORT": str(PORT),
            "OPTIONS": {},
        }

    def broker_url(self, number: int = 0) -> str:
        return f"redis+socket://{self.valkey_socket}?virtual_host={number}"

    def connect(self, name: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=str(self.postgres_run_dir),
            port=PORT,
            user=OWNER,
            dbname=name,
            autocommit=True,
            connect_timeout=10,
        )

    def make(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(
                f"The data directory {self.data_dir} cannot be made: {error.strerror}."
            ) from error
        if not os.access(self.data_dir, os.W_OK | os.X_OK):
            raise EmbeddedError(
                f"The data directory {self.data_dir} belongs to somebody else; set FOOTPRINT_DATA."
            )
        self.run_dir.mkdir(mode=0o700, exist_ok=True)
        status = self.run_dir.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise EmbeddedError(f"{self.run_dir} belongs to somebody else; remove it and start again.")
