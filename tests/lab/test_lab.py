"""The lab itself: what it counts, what it does when told to, and how it is run by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from hunts.kql.window import Window
from tests.hunts.parquet import NOON, recorded, write_parquet
from tests.lab.counts import Counts
from tests.lab.faults import FOREVER, Fault, Faults, Kind, parse_fault
from tests.lab.server import Lab
from tests.lab.timespans import parse_timespan

SECONDS = 30
ROOT = Path(__file__).parents[2]
QUERY = "DeviceNetworkEvents | project RemoteIP"


def ask(url: str, **options: object) -> requests.Response:
    return requests.post(
        f"{url}/v1/workspaces/w/query",
        json={"query": QUERY, "timespan": None},
        headers={"Authorization": "Bearer x"},
        timeout=SECONDS,
        **options,  # type: ignore[arg-type]  # handed through as they are
    )


@pytest.mark.parametrize(
    ("text", "window"),
    [
        (None, Window()),
        ("PT3600.0S", Window(NOON - timedelta(hours=1), NOON)),
        ("P30D", Window(NOON - timedelta(days=30), NOON)),
        ("P1DT2H3M4.5S", Window(NOON - timedelta(days=1, hours=2, minutes=3, seconds=4.5), NOON)),
        ("2026-11-01T12:00:00Z", Window(NOON - timedelta(days=1))),
        ("2026-11-01T12:00:00.000Z/2026-11-02T12:00:00.000Z", Window(NOON - timedelta(days=1), NOON)),
        ("2026-11-01T12:00:00Z/PT86400.0S", Window(NOON - timedelta(days=1), NOON)),
        ("P1D/2026-11-02T12:00:00Z", Window(NOON - timedelta(days=1), NOON)),
    ],
)
def test_timespans_are_read_in_every_form(text: str | None, window: Window) -> None:
    assert parse_timespan(text, NOON) == window


@pytest.mark.parametrize("text", ["soon", "P1Y", "2026-13-01T00:00:00Z", "a/b"])
def test_other_timespans_are_errors(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any will do
        parse_timespan(text, NOON)


def test_faults_come_in_order_and_as_often_as_they_say() -> None:
    faults = Faults()
    faults.add(Fault(Kind.EMPTY, 2))
    faults.add(Fault(Kind.RESET))
    taken = [faults.take() for _ in range(4)]
    assert [fault.kind if fault else None for fault in taken] == [Kind.EMPTY, Kind.EMPTY, Kind.RESET, None]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("empty", Fault(Kind.EMPTY, FOREVER)),
        ("throttled:3=10", Fault(Kind.THROTTLED, 3, "10")),
        ("renamed=IP", Fault(Kind.RENAMED, FOREVER, "IP")),
    ],
)
def test_faults_are_read_from_the_command_line(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


def test_counts_find_the_busiest_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = Counts()
    moments = iter([0.0, 1.0, 29.0, 30.0, 30.5, 31.5, 100.0])
    monkeypatch.setattr("tests.lab.counts.time.monotonic", lambda: next(moments))
    for _ in range(7):
        with counts.one():
            assert counts.under_way == 1
    assert (counts.questions, counts.most_at_once, counts.under_way) == (7, 1, 0)
    assert counts.most_within(30) == 4


def test_questions_at_once_are_counted(tmp_path: Path) -> None:
    with Lab([write_parquet(tmp_path / "e.parquet", [recorded("a.exe", "192.0.2.1")])]) as lab:
        lab.delay_seconds = 0.3
        with ThreadPoolExecutor(5) as pool:
            statuses = [answer.status_code for answer in pool.map(lambda _: ask(lab.url), range(5))]
        assert statuses == [200] * 5
        assert (lab.counts.questions, lab.counts.under_way) == (5, 0)
        assert 2 <= lab.counts.most_at_once <= 5


def test_a_question_without_its_type_of_content_gets_an_empty_answer(tmp_path: Path) -> None:
    with Lab([write_parquet(tmp_path / "e.parquet", [])]) as lab:
        answer = requests.post(
            f"{lab.url}/v1/workspaces/w/query",
            data=json.dumps({"query": QUERY}),
            headers={"Authorization": "Bearer x"},
            timeout=SECONDS,
        )
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_question_without_a_token_is_not_answered(tmp_path: Path) -> None:
    with Lab([write_parquet(tmp_path / "e.parquet", [])]) as lab:
        answer = requests.post(f"{lab.url}/v1/workspaces/w/query", json={"query": QUERY}, timeout=SECONDS)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "AuthenticationFailed"


def test_the_lab_runs_by_hand_and_takes_faults_over_http() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.lab", "--fault", "unavailable:1"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            url = words[words.index("endpoint") + 1]
            assert ask(url).status_code == 503
            fault = {"kind": "throttled", "value": "7"}
            assert requests.post(f"{url}/lab/faults", json=fault, timeout=SECONDS).status_code == 204
            assert ask(url).headers["Retry-After"] == "7"
            assert len(ask(url).json()["tables"][0]["rows"]) > 30
            assert requests.post(f"{url}/lab/faults", json={"kind": "x"}, timeout=SECONDS).status_code == 400
            assert requests.get(f"{url}/lab/counts", timeout=SECONDS).json()["questions"] == 3
        finally:
            process.kill()
