"""The real servers and processes that tests run against."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.db import connection, connections
from psycopg import sql

from footprint.configuration import CHECKOUT
from footprint.embedded import Home
from footprint.processes import spawn

TEMPLATE = "template_footprint"
DEADLINE_SECONDS = 60
QUEUES = "celery,stores"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine has an address.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def wait_until(
    what: Callable[[], object], *, seconds: float = DEADLINE_SECONDS, why: Callable[[], str] = str
) -> None:
    """Polls until `what` is true; fails the test when the deadline passes first, with `why` as it is then."""
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            pytest.fail(f"Waited {seconds:g} s in vain. {why()}")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# Databases


def make_template(home: Home) -> None:
    """Migrates one database, once for all test processes; every other one is cloned from it."""
    with (home.data_dir / "template.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with home.connect() as server:
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
                return
            draft = f"{TEMPLATE}_draft"
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
            with pointed_at(draft):
                call_command("migrate", verbosity=0, interactive=False)
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(draft), sql.Identifier(TEMPLATE)
                )
            )


def clone_template(home: Home, name: str) -> None:
    with home.connect() as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
        )


def drop_database(home: Home, name: str) -> None:
    with home.connect() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Django's default connection, of this and of new threads, leads to the database `name`."""
    connections.close_all()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = before


@dataclass(frozen=True)
class FreshDatabase:
    """A database of one test's own, with real commits; processes of the test get `environment`."""

    name: str
    environment: Mapping[str, str]


# Processes


@dataclass
class Started:
    """A process of a test, leader of its own process group."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL to the whole group, as a power cut would have it."""
        self._signal_group(signal.SIGKILL)
        self.process.wait(DEADLINE_SECONDS)

    def stop(self, seconds: float = 15) -> None:
        """SIGTERM, and SIGKILL for what has not ended in time."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


@dataclass
class Processes:
    """Starts processes of the project and ends them with the test."""

    folder: Path
    started: list[Started] = field(default_factory=list)

    def start(self, *arguments: str, environment: Mapping[str, str], cwd: Path = CHECKOUT) -> Started:
        log = self.folder / f"process-{len(self.started)}.log"
        with log.open("wb") as output:
            process = spawn([sys.executable, *arguments], log=output, environment=environment, cwd=cwd)
        started = Started(process, log)
        self.started.append(started)
        return started

    def stop_all(self) -> None:
        for started in reversed(self.started):
            started.stop()


def start_worker(
    processes: Processes,
    environment: Mapping[str, str],
    *,
    concurrency: int = 1,
    queues: str = QUEUES,
) -> Started:
    """A real Celery worker; returns when it takes messages."""
    worker = processes.start(
        *("-m", "celery", "-A", "footprint", "worker", "--concurrency", str(concurrency)),
        *("--queues", queues),
        *("--without-mingle", "--without-gossip", "--loglevel", "INFO"),
        environment=environment,
    )
    wait_until(lambda: " ready." in worker.said() or worker.process.poll() is not None)
    if worker.process.poll() is not None:
        pytest.fail(f"The worker did not start:\n{worker.said()[-4000:]}")
    return worker


@dataclass(frozen=True)
class LiveSite:
    """The site on its fresh database, over real HTTP."""

    url: str
    database: FreshDatabase


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # the base class names it so
        """Requests are in the log already."""


@contextmanager
def serve(application: WSGIHandler, database: FreshDatabase) -> Iterator[LiveSite]:
    """Threads of this process serve the site: a server process of its own would take seconds to start."""
    with ThreadedWSGIServer(("127.0.0.1", 0), QuietHandler) as server:
        server.set_app(application)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield LiveSite(f"http://127.0.0.1:{server.server_port}", database)
        finally:
            server.shutdown()
            thread.join()


def start_gunicorn(processes: Processes, database: FreshDatabase) -> LiveSite:
    """The site behind the server that production has, with that server's own limits."""
    port = free_port()
    server = processes.start(
        *("-m", "gunicorn", "footprint.wsgi:application", "--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--threads", "4", "--no-control-socket"),
        environment=database.environment,
    )
    site = LiveSite(f"http://127.0.0.1:{port}", database)
    wait_until(lambda: answers(f"{site.url}/sign-in"), why=server.said)
    return site


def answers(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


# Chromium


def find_chromium() -> str | None:
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


def install_chromium() -> bool:
    """Where root can: Debian's own Chromium. Whether it is there afterwards."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]):
        subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=600
        )
    return find_chromium() is not None
