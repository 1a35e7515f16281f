"""How fast one web process answers a feed of a million lines: 304 where nothing is new, and the whole body.

    python bench/feeds.py [LINES] [FETCHES]

Runs gunicorn with one process as `manage.py up` does, over a PostgreSQL of its own in a temporary folder.
"""

from __future__ import annotations

import http
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))
FOLDER = tempfile.TemporaryDirectory(prefix="footprint-bench-")
os.environ["FOOTPRINT_DATA"] = FOLDER.name
os.environ["FOOTPRINT_LOG_LEVEL"] = "WARNING"
os.environ["FOOTPRINT_FEED_REQUESTS_PER_MINUTE"] = "100000"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "footprint.settings")

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from cases.watchlists.actions import add_consumer
from cases.watchlists.models import Publication, Watchlist
from footprint.accounts.models import Person, Role
from footprint.embedded import Hold, Home

with socket.socket() as _probe:
    _probe.bind(("127.0.0.1", 0))
    PORT: int = _probe.getsockname()[1]
ADDRESS = "/feeds/all-blocks/plain-text"
BLOCK = 1 << 20


def fill(lines: int) -> str:
    """A publication of so many names; the token that opens it."""
    watchlist = Watchlist.objects.get(slug="all-blocks")
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO watchlists_publishedentry (watchlist_id, kind, value, verdict, reason, decided_by,"
            " decided_at, decision_number, may_widen, added_in)"
            " SELECT %s, 'name', 'n' || n || '.beacon.example', 'blocked', 'Beacons', 'Rui Alves', now(), n,"
            " false, 1 FROM generate_series(1, %s) n",
            [watchlist.pk, lines],
        )
    Publication.objects.create(
        watchlist=watchlist, number=1, state="published", why="A bench", made_at=now, entries=lines,
        added=lines, removed=0, sha256="0" * 64,
    )  # fmt: skip
    lea = Person.objects.create(username="lea", role=Role.LEAD)
    return add_consumer(actor=lea, watchlist=watchlist, name="bench", format="plain-text")[1]


def ask(web: http.client.HTTPConnection, token: str, **headers: str) -> http.client.HTTPResponse:
    web.request("GET", ADDRESS, headers={"Authorization": f"Bearer {token}", **headers})
    return web.getresponse()


def wait_for_it() -> http.client.HTTPConnection:
    for _ in range(200):
        web = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300)
        try:
            web.connect()
        except OSError:
            time.sleep(0.1)
        else:
            return web
    raise SystemExit("gunicorn did not start")


def worked(process: int) -> float:
    """Seconds of processor time of its children so far."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ticks = 0
    for child in children:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(token: str, fetches: int, process: int) -> None:
    web = wait_for_it()
    began = time.perf_counter()
    first = ask(web, token)
    size = len(first.read())
    if first.status != http.HTTPStatus.OK:
        raise SystemExit(f"the first fetch answered {first.status}")
    print(f"first fetch, which makes the file: {size:,} bytes in {time.perf_counter() - began:.1f} s")
    rates = []
    for _ in range(5):
        began, read = time.perf_counter(), 0
        response = ask(web, token)
        while some := response.read(BLOCK):
            read += len(some)
        rates.append(read / (time.perf_counter() - began) / 1e6)
    print(f"whole body: {min(rates):,.0f} to {max(rates):,.0f} MB/s")
    tag = first.headers["ETag"]
    times, before = [], worked(process)
    for _ in range(fetches):
        began = time.perf_counter()
        response = ask(web, token, **{"If-None-Match": tag})
        response.read()
        if response.status != http.HTTPStatus.NOT_MODIFIED:
            raise SystemExit(f"answered {response.status}")
        times.append((time.perf_counter() - began) * 1000)
    each = (worked(process) - before) / fetches * 1000
    cuts = quantiles(times, n=100)
    print(f"304: median {cuts[49]:.2f} ms, p95 {cuts[94]:.2f} ms, worst {max(times):.2f} ms")
    print(f"304: {each:.2f} ms of processor time each")


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    fetches = int(sys.argv[2]) if len(sys.argv) > 2 else 2_000
    with Hold(Home(Path(FOLDER.name)), valkey=True):
        call_command("migrate", verbosity=0, interactive=False)
        token = fill(lines)
        connection.close()
        command = [sys.executable, "-m", "gunicorn", "footprint.wsgi:application", "--no-control-socket"]
        web = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{PORT}", "--workers", "1", "--worker-class", "gthread",
             "--threads", "4", "--log-level", "warning"],
            cwd=HERE,
        )  # fmt: skip
        try:
            measure(token, fetches, web.pid)
        finally:
            web.terminate()
            web.wait()


if __name__ == "__main__":
    main()
