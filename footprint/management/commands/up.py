from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any, Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from rich.console import Console

from footprint.checks import check_postgresql
from footprint.configuration import Configuration
from footprint.embedded import EmbeddedError, Hold, Home
from footprint.stylesheet import StylesheetError, compile_stylesheet
from footprint.supervisor import KeepsEnding, Program, Supervisor, end_leftovers

ANSWER_SECONDS = 60
ENSURE_SERVERS_SECONDS = 5
POLL_SECONDS = 0.2
# In this order: people first, because what follows is theirs.
DEMO_COMMANDS = ("demo_people", "demo_telemetry", "demo_known_lists", "demo_cases")


class Ending(BaseException):
    """Somebody asked the supervisor to end. Like KeyboardInterrupt it is no error that others may take in."""


class Askings:
    """Ctrl-C, SIGTERM and a closed terminal all mean: end. Whoever asks twice does not want to wait."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        # What comes now is too late to matter: everything has ended.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def repeated(self) -> bool:
        return self.count > 1

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        # The second asking only hurries: raised while things are ending it would leave some of them behind.
        if self.count == 1:
            raise Ending


class Command(BaseCommand):
    help = "Runs all of Footprint on this machine: web, worker, beat, and PostgreSQL and Valkey if needed."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", default=os.environ.get("PORT", "8000"), help="Port on 127.0.0.1 (default 8000)."
        )
        parser.add_argument(
            "--demo", action="store_true", help="Makes demo people, telemetry and cases at first."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        house: Configuration = settings.FOOTPRINT
        if options["demo"] and not house.on_one_machine:
            raise CommandError(
                "--demo makes people whose passwords everybody knows; not where DATABASE_URL is set."
            )
        port = _port(options["port"])
        console = Console(soft_wrap=True, highlight=False)
        home = Home(house.data_dir)
        askings = Askings()
        try:
            with askings, _only_one(home), _logging_to(home.logs / "up.log"):
                end_leftovers(home.children)
                _require_free(port)
                with Hold(home, postgres=house.database_url is None, valkey=house.redis_url is None) as hold:
                    Machine(house, home, hold, console, askings).run(port, demo=options["demo"])
        except Ending:
            console.print("Footprint has ended.")
        except RuntimeError:
            # DuckDB makes an error of its own out of one that is raised in its midst.
            if not askings.count:
                raise
            console.print("Footprint has ended.")
        except (EmbeddedError, StylesheetError, KeepsEnding) as error:
            raise CommandError(str(error)) from error


class Machine:
    """Everything between the servers standing and Ctrl-C."""

    def __init__(
        self, house: Configuration, home: Home, hold: Hold, console: Console, askings: Askings
    ) -> None:
        self._house = house
        self._home = home
        self._hold = hold
        self._console = console
        self._askings = askings

    def run(self, port: int, *, demo: bool) -> None:
        self._prepare()
        sign_ins = self._make_demo() if demo else ""
        connections.close_all()
        supervisor = Supervisor(
            records=self._home.children,
            logs=self._home.logs,
            environment=os.environ | {"PYTHONUNBUFFERED": "1"},
            keep=[self._hold.lock.fileno()] if self._hold.lock else [],
            stop_seconds=self._house.stop_seconds,
            say=self._console.print,
        )
        web, *others = self._programs(port)
        try:
            # The site first: who waits for it need not wait for the others too.
            supervisor.start([web])
            self._await_answer(supervisor, port)
            supervisor.start(others)
            self._tell(port, sign_ins)
            self._watch(supervisor)
        finally:
            supervisor.stop(self._askings.repeated)

    def _prepare(self) -> None:
        self._home.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._home.run_dir.mkdir(mode=0o700, exist_ok=True)
        with self._step("Preparing the database"):
            faults = check_postgresql(["default"])
            if faults:
                raise CommandError(
                    "\n".join(f"{fault.id}: {fault.msg} {fault.hint or ''}" for fault in faults)
                )
            call_command("migrate", interactive=False, verbosity=0)
        if self._house.on_one_machine or self._house.ledger_key:
            self._seal_ledger()
        with self._step("Compiling the style sheet"):
            compile_stylesheet()

    def _seal_ledger(self) -> None:
        """At the first start this makes the key that signs, and tells where it lies."""
        said = StringIO()
        call_command("make_checkpoint", stdout=StringIO(), stderr=said)
        if said.getvalue():
            self._console.out(said.getvalue().strip(), highlight=False)

    def _make_demo(self) -> str:
        """Runs what there is of the demo; what the first of them says are the sign-ins."""
        said = StringIO()
        for name in DEMO_COMMANDS:
            if name in get_commands():
                with self._step(f"Making the demo: {name.removeprefix('demo_')}"):
                    call_command(name, stdout=said if name == "demo_people" else StringIO())
        return said.getvalue().strip()

    def _programs(self, port: int) -> list[Program]:
        house = self._house
        web = [
            "gunicorn",
            "footprint.wsgi:application",
            "--bind",
            f"127.0.0.1:{port}",
            "--worker-class",
            "gthread",
        ]
        web += ["--workers", str(house.web_processes), "--threads", str(house.web_threads), "--preload"]
        web += [
            "--no-control-socket",
            "--graceful-timeout",
            str(house.stop_seconds),
            "--log-level",
            "warning",
        ]
        web += ["--max-requests", "2000", "--max-requests-jitter", "200"]
        if Path("/dev/shm").is_dir():  # noqa: S108  # where it exists heartbeats need no disk
            web += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108
        beat = [
            "celery",
            "--app",
            "footprint",
            "beat",
            "--schedule",
            str(self._home.run_dir / "beat"),
            "--pidfile",
            "",
        ]
        run = [sys.executable, "-m"]
        return [
            Program("web", [*run, *web]),
            Program("beat", [*run, *beat]),
            _worker("worker", "celery", house.worker_processes),
            _worker("store-worker", "stores", house.store_processes),
        ]

    def _await_answer(self, supervisor: Supervisor, port: int) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        with self._step("Starting the site"):
            while not _answers(port):
                supervisor.watch()
                if time.monotonic() > deadline:
                    raise CommandError(f"The site does not answer; see the logs in {self._home.logs}.")
                time.sleep(POLL_SECONDS)

    def _watch(self, supervisor: Supervisor) -> None:
        servers_seen = time.monotonic()
        while True:
            time.sleep(POLL_SECONDS)
            supervisor.watch()
            if time.monotonic() - servers_seen > ENSURE_SERVERS_SECONDS:
                for name in self._hold.ensure():
                    self._console.print(f"{name} had ended and is started again; see {self._home.logs}.")
                servers_seen = time.monotonic()

    def _tell(self, port: int, sign_ins: str) -> None:
        say = self._console.print
        say(f"\nFootprint answers at [bold]http://127.0.0.1:{port}[/bold]\n")
        if sign_ins:
            self._console.out(sign_ins, highlight=False)
            say()
        self._console.out(f"Data lies in {self._home.data_dir}, logs in {self._home.logs}.", highlight=False)
        say("Ctrl-C ends all of it.")

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(f"{what} …"):
                yield
        else:
            yield
        self._console.print(f"{what}: {time.monotonic() - began:.1f} s")


def _worker(name: str, queue: str, processes: int) -> Program:
    command = [sys.executable, "-m", "celery", "--app", "footprint", "worker", "--queues", queue]
    command += ["--hostname", f"{queue}@%h", "--concurrency", str(processes)]
    command += ["--without-mingle", "--without-gossip"]
    # Told once it finishes what it is doing, told twice it hands it back.
    return Program(name, command, farewell=(signal.SIGTERM, signal.SIGQUIT))


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """What is printed here is for people; log lines of this process go where the others' go."""
    with path.open("a") as file:
        streams = [
            handler for handler in logging.getLogger().handlers if isinstance(handler, logging.StreamHandler)
        ]
        before = [handler.setStream(file) for handler in streams]
        try:
            yield
        finally:
            for handler, stream in zip(streams, before, strict=True):
                handler.setStream(stream)


@contextmanager
def _only_one(home: Home) -> Iterator[None]:
    home.make()
    with (home.data_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise CommandError(
                f"Footprint already runs from {home.data_dir}, as process {lock.read().strip()}.",
                returncode=2,
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535:
        return int(text)
    raise CommandError(f"{text!r} is not a port; give a number from 1 to 65535.", returncode=2)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = f"Port {port} is in use; choose another: PORT=8123 make demo."
            else:
                reason = f"Port {port} cannot be used: {error.strerror}."
            raise CommandError(reason, returncode=2) from error


def _answers(port: int) -> bool:
    try:
        # A proxy of this machine's environment has no part in this.
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
