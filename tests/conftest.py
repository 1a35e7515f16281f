"""Every test run has its own PostgreSQL and Valkey in a folder of its own, never those of a demo."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import django
import pytest
from django.conf import settings

from footprint.embedded import Hold, Home
from tests.folders import make_folder, remove_folder, sweep_folders

IS_XDIST_WORKER = "PYTEST_XDIST_WORKER" in os.environ

# The environment is settled before Django reads it: no setting of the caller reaches a test.
if not IS_XDIST_WORKER:
    for name in list(os.environ):
        if name.startswith("FOOTPRINT_") and name != "FOOTPRINT_REAL_TELEMETRY":
            del os.environ[name]
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "DATABASE_URL_FILE",
        "REDIS_URL_FILE",
        "SECRET_KEY_FILE",
    ):
        os.environ.pop(name, None)
    sweep_folders()
    folder, run_lock = make_folder()
    os.environ["FOOTPRINT_DATA"] = str(folder)
os.environ["DJANGO_SETTINGS_MODULE"] = "footprint.settings"
# Playwright keeps an event loop in the thread that also uses the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

HOME = Home(Path(os.environ["FOOTPRINT_DATA"]))
WORKER_NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Test processes share one Valkey; each has a numbered database in it.
os.environ["REDIS_URL"] = HOME.broker_url(1 + WORKER_NUMBER % 15)

django.setup()
# In an xdist worker the settings were read before this file, with the first process's database of Valkey.
settings.CELERY_BROKER_URL = os.environ["REDIS_URL"]

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connections  # noqa: E402  # after setup()
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402
from redis import Redis  # noqa: E402

from footprint.stylesheet import compile_stylesheet  # noqa: E402
from tests import house  # noqa: E402
from tests.watched_changes import watch_changes  # noqa: E402

__all__ = ["watch_changes"]


def pytest_sessionstart(session: pytest.Session) -> None:
    if IS_XDIST_WORKER or session.config.option.collectonly:
        return
    if house.find_chromium() is None:
        print("Looking for a browser to install …", flush=True)  # noqa: T201  # it may take a minute
    if house.find_chromium() is None and not house.install_chromium():
        pytest.exit("The tests need a browser: install the package chromium.", returncode=3)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and (marker.kwargs or "fresh_database" in getattr(item, "fixturenames", ())):
            raise pytest.UsageError(
                f"{item.nodeid}: a test that commits uses the fixture fresh_database and no django_db mark."
            )


def pytest_configure() -> None:
    # As Ctrl-C: fixtures end what they have started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure() -> None:
    if not IS_XDIST_WORKER:
        remove_folder(HOME.data_dir)


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """A test that reaches for another machine fails."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and not ipaddress.ip_address(address[0]).is_loopback:
            raise PermissionError(f"A test must not connect to {address}.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", checked)
        yield


@pytest.fixture(scope="session")
def servers() -> Iterator[Home]:
    with Hold(HOME, durable=False):
        yield HOME


@pytest.fixture(scope="session")
def template_database(servers: Home, django_db_blocker: Any) -> Home:
    with django_db_blocker.unblock():
        house.make_template(servers)
    return servers


@pytest.fixture(scope="session")
def django_db_setup(
    template_database: Home, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    name = f"test_{WORKER_NUMBER}"
    house.clone_template(template_database, name)
    with house.pointed_at(name):
        yield


@pytest.fixture
def db(request: pytest.FixtureRequest) -> None:
    """As pytest-django's, but in a test with a fresh database it is that one."""
    uses_fresh = "fresh_database" in request.fixturenames
    request.getfixturevalue("fresh_database" if uses_fresh else "_django_db_helper")


@pytest.fixture
def fresh_database(template_database: Home, django_db_blocker: Any) -> Iterator[house.FreshDatabase]:
    """A database of the test's own for real commits, several connections and processes."""
    name = f"fresh_{uuid4().hex}"
    house.clone_template(template_database, name)
    environment = os.environ | {"FOOTPRINT_EMBEDDED_DATABASE": name}
    with django_db_blocker.unblock():
        with house.pointed_at(name):
            yield house.FreshDatabase(name, environment)
        connections.close_all()
    house.drop_database(template_database, name)


@pytest.fixture
def valkey(servers: Home) -> Iterator[Redis]:
    """This test process's own numbered database of Valkey, empty."""
    with Redis(unix_socket_path=str(servers.valkey_socket), db=1 + WORKER_NUMBER % 15) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[house.Processes]:
    processes = house.Processes(tmp_path)
    yield processes
    processes.stop_all()
    # Shown by pytest where the test failed.
    for started in processes.started:
        print(f"{started.process.args!r}:\n{started.said()[-8000:]}")  # noqa: T201


StartWorker = Callable[..., house.Started]


@pytest.fixture
def start_worker(
    fresh_database: house.FreshDatabase, valkey: Redis, processes: house.Processes
) -> StartWorker:
    """Starts Celery workers on the fresh database; keyword arguments are settings of theirs."""

    def start(concurrency: int = 1, queues: str = house.QUEUES, **settings: object) -> house.Started:
        given = {name: str(value) for name, value in settings.items()}
        return house.start_worker(
            processes, {**fresh_database.environment, **given}, concurrency=concurrency, queues=queues
        )

    return start


@pytest.fixture
def worker(start_worker: StartWorker) -> house.Started:
    return start_worker()


@pytest.fixture(scope="session")
def stylesheet() -> None:
    """The compiled style sheet, as `manage.py css` makes it."""
    compile_stylesheet()


@pytest.fixture(scope="session")
def application(stylesheet: None) -> WSGIHandler:
    return get_wsgi_application()


@pytest.fixture
def live_site(
    fresh_database: house.FreshDatabase, valkey: Redis, application: WSGIHandler
) -> Iterator[house.LiveSite]:
    with house.serve(application, fresh_database) as site:
        yield site


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=house.find_chromium(), args=house.CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, live_site: house.LiveSite) -> Iterator[Page]:
    """A signed-out browser page; what breaks the content policy or a script fails the test."""
    faults: list[str] = []
    with chromium.new_context(
        base_url=live_site.url, viewport={"width": 1440, "height": 900}, accept_downloads=True
    ) as context:
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "console",
            lambda message: faults.append(message.text) if "Content Security" in message.text else None,
        )
        yield page
    assert not faults
