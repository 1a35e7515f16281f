"""Measures the pages of the queue on a large case, one client, warm.

    python bench/pages.py [--endpoints 1000000] [--others 2000000] [--decisions 100000] [--times 20]

Each page whole, as Django's test client gets it, sign-in and templates included: p50 and p95, the part of it
that is this process's own time, and the questions it asks. Beside it, in the same run, the queries of a plain
changelist over the same rows, without a template: two counts and one page by OFFSET.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from large_world import Size, begin, fill, servers

os.environ["DJANGO_SETTINGS_MODULE"] = "plain_admin"
FOLDER = begin()

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases.models import Case, CaseValue
from cases.ordering import ORDERS, place_text
from cases.row_versions import standing_of
from footprint.accounts.models import Person
from footprint.memory import keep_what_is_loaded

PAGE = 50
FAR = 999 * PAGE
FILTERS = (
    "verdict=undecided",
    "verdict=blocked",
    "kind=address",
    "kind=text",
    "port=443",
    "port=1",
    "devices=5",
    "proposed=1",
    "by=domain",
    "q=example",
    "q=h12",
    "q=nowhere-at-all",
)


def measure(what: str, times: int, work: Callable[[], object]) -> None:
    with CaptureQueriesContext(connection) as asked:
        work()
        questions = len(asked)
    work()
    wall, own = [], time.process_time()
    for _ in range(times):
        began = time.perf_counter()
        work()
        wall.append((time.perf_counter() - began) * 1000)
    own = (time.process_time() - own) * 1000 / times
    wall.sort()
    p50, p95 = wall[times // 2], wall[min(times - 1, int(times * 0.95))]
    took = f"p50 {p50:7.1f}  p95 {p95:7.1f} ms  own {own:6.1f} ms"
    print(f"{what:<34} {took}  {questions:2} questions", flush=True)


def measure_pages(case: Case, client: Client, times: int) -> None:
    base = f"/cases/{case.pk}/"
    htmx = {"HX-Request": "true"}
    undecided = CaseValue.objects.filter(case=case, verdict="undecided")
    far_away = min(FAR, undecided.count() - 1)
    measure("first page", times, lambda: client.get(base))
    for name, order in ORDERS.items():
        sign = "-" if order.is_descending else ""
        far = undecided.order_by(*(f"{sign}{column}" for column in order.columns))[far_away]
        after = quote(place_text(far, order))
        measure(
            f"page 1,000 by {name}", times, lambda n=name, a=after: client.get(f"{base}?sort={n}&after={a}")
        )
    for query in (*FILTERS, f"file={case.files.first().pk}"):
        measure(query, times, lambda q=query: client.get(f"{base}?{q}"))
    for kind in ("name", "address"):
        value = undecided.filter(kind=kind).first()
        panel = f"{base}values/{value.pk}/"
        measure(f"panel of a {kind}", times, lambda p=panel: client.get(p, headers=htmx))
        everywhere = f"/values/?value={quote(value.value)}"
        measure(f"value page of a {kind}", times, lambda e=everywhere: client.get(e))
    shown = list(undecided.values_list("pk", flat=True)[:PAGE])
    now = standing_of(case.pk, shown)
    if now is None:
        raise SystemExit("The great case is gone.")
    for what, rows in (("nothing", now.rows), (f"{PAGE} rows", dict.fromkeys(shown, "older"))):
        known = "_".join(f"{pk}-{version}" for pk, version in rows.items())
        poll = f"{base}changes?rows={known}&values={now.values}"
        measure(f"what changed: {what}", times, lambda p=poll: client.get(p, headers=htmx))


def measure_plain(case: Case, client: Client, times: int) -> None:
    print("beside it, a plain admin changelist")
    base = f"/plain/cases/casevalue/?case__id__exact={case.pk}"

    def changelist(query: str = "") -> None:
        if client.get(base + query).status_code != HTTPStatus.OK:
            raise SystemExit(f"The plain changelist refuses {query or 'its first page'}.")

    measure("  first page", times, changelist)
    measure("  page 1,000", times, lambda: changelist(f"&p={far_page(case)}"))
    measure("  blocked", times, lambda: changelist("&verdict__exact=blocked"))
    measure("  search", times, lambda: changelist("&q=h12"))
    measure("  search for nothing", times, lambda: changelist("&q=nowhere-at-all"))


def far_page(case: Case) -> int:
    return min(FAR, CaseValue.objects.filter(case=case).count() - 1) // PAGE + 1


def main(arguments: argparse.Namespace) -> None:
    logging.disable(logging.CRITICAL)
    settings.ALLOWED_HOSTS = ["testserver"]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with servers(FOLDER.name):
        case = Case.objects.get(pk=fill(Size(arguments.endpoints, arguments.others, arguments.decisions)))
        client = Client()
        client.force_login(Person.objects.get(username="bench"))
        client.get(f"/cases/{case.pk}/")
        # As the server does.
        keep_what_is_loaded()
        measure_pages(case, client, arguments.times)
        measure_plain(case, client, arguments.times)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--endpoints", type=int, default=1_000_000)
    parser.add_argument("--others", type=int, default=2_000_000)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=20)
    main(parser.parse_args())
