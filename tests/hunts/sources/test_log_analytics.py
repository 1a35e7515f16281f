from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from hunts.kql.files import parse_file
from hunts.kql.footprint import Query, seed_query
from hunts.kql.plan import plan_query, read_plan
from hunts.kql.window import Window
from hunts.sources.errors import OutOfRetention, Refused, Rejected
from tests.hunts.parquet import NOON, recorded
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import (
    DAY,
    EVENTS,
    SECONDS,
    TOKEN,
    WORKSPACE,
    ask,
    at_noon,
    open_kind,
    question,
    rows_of,
)
from tests.lab.server import Lab

KIND = "log_analytics"
OTHER = "99999999-8888-7777-6666-555555555555"


def asked_of(lab: Lab) -> tuple[str, dict[str, str], dict[str, object]]:
    path, headers, body = lab.asked[-1]
    return path, headers, json.loads(body)


def test_the_question_goes_out_as_the_service_wants_it(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS)
    adapter = open_kind(KIND, lab, more_workspaces=f"{OTHER} {OTHER}")
    answer = ask(adapter, timeout=100)
    path, headers, body = asked_of(lab)
    assert path == f"/v1/workspaces/{WORKSPACE}/query"
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["prefer"] == "wait=97"
    assert body == {
        "query": question(adapter).text,
        "timespan": "2026-11-02T00:00:00.000Z/2026-11-03T00:00:00.000Z",
        "workspaces": [OTHER],
    }
    assert [row.ip for row in rows_of(answer)] == [f"192.0.2.{number}" for number in range(1, 6)]
    assert answer.partial is None
    assert answer.bytes > 1_000
    assert answer.seconds > 0


@pytest.mark.parametrize(("timeout", "wait"), [(1.5, "wait=1"), (100_000.0, "wait=600")])
def test_the_service_is_told_a_time_it_can_keep(open_lab: OpenLab, timeout: float, wait: str) -> None:
    lab = open_lab()
    open_kind(KIND, lab).ask(seed_query("a.exe"), DAY, timeout=timeout)
    assert asked_of(lab)[1]["prefer"] == wait


@pytest.mark.parametrize(
    ("window", "timespan"),
    [
        (Window(), None),
        (Window(since=NOON), "2026-11-02T12:00:00.000Z/2026-11-04T13:00:00.000Z"),
        (Window(until=NOON), "2000-01-01T00:00:00.000Z/2026-11-02T12:00:00.000Z"),
        (
            Window(NOON, NOON + timedelta(microseconds=1)),
            "2026-11-02T12:00:00.000Z/2026-11-02T12:00:00.000001Z",
        ),
    ],
)
def test_the_window_is_the_timespan(open_lab: OpenLab, window: Window, timespan: str | None) -> None:
    lab = open_lab()
    open_kind(KIND, lab).ask(seed_query("a.exe"), window, timeout=SECONDS)
    assert asked_of(lab)[2]["timespan"] == timespan


def test_the_window_bounds_what_is_looked_at_whatever_the_query_says(open_lab: OpenLab) -> None:
    lab = open_lab(
        [recorded("a.exe", "192.0.2.1"), recorded("a.exe", "192.0.2.2", at=NOON - timedelta(days=3))]
    )
    answer = open_kind(KIND, lab).ask(seed_query("a.exe"), DAY, timeout=SECONDS)
    assert list(answer.rows) == [("192.0.2.1", "")]


@pytest.mark.parametrize("endpoint", ["{}/private/link", "{}/private/link/", "{}/private/link/v1"])
def test_what_stands_before_the_version_is_kept(open_lab: OpenLab, endpoint: str) -> None:
    lab = open_lab(EVENTS)
    ask(open_kind(KIND, lab, endpoint=endpoint.format(lab.url)))
    assert asked_of(lab)[0] == f"/private/link/v1/workspaces/{WORKSPACE}/query"


@pytest.mark.parametrize("as_text", [True, False])
def test_sets_arrive_as_text_or_as_lists(open_lab: OpenLab, as_text: bool) -> None:
    lab = open_lab(EVENTS)
    lab.log_analytics.dynamic_as_text = as_text
    row = rows_of(ask(open_kind(KIND, lab)))[0]
    assert (row.ports, row.device_names, row.actions) == ([443], ["pc-1"], [])


def test_an_empty_guid_or_timespan_is_empty_and_not_the_word_none(open_lab: OpenLab) -> None:
    lab = open_lab([recorded("None", "192.0.2.1")])
    text = (
        "DeviceNetworkEvents | project G = toguid(''), T = totimespan(''), S = InitiatingProcessFileName,"
        " D = todatetime('')"
    )
    answer = open_kind(KIND, lab).ask(Query(text, ()), Window(), timeout=SECONDS)
    assert list(answer.rows) == [(None, None, "None", None)]


def test_an_unknown_workspace_is_refused(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS)
    lab.log_analytics.workspaces = frozenset({OTHER})
    with pytest.raises(Refused) as caught:
        ask(open_kind(KIND, lab))
    assert str(caught.value) == "Log Analytics knows no such place to ask."
    assert caught.value.said == "PathNotFoundError: The requested path does not exist"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DeviceNetworkEvents | | take 1", "SYN0002: could not parse KQL"),
        ("DeviceNetworkEvents | where NoSuch == 1", "SEM0100: 'where' operator: Failed to resolve scalar"),
    ],
)
def test_what_is_wrong_with_a_query_is_said(open_lab: OpenLab, text: str, said: str) -> None:
    with pytest.raises(Rejected, match=r"^Log Analytics does not understand the question\.$") as caught:
        open_kind(KIND, open_lab(EVENTS)).ask(Query(text, ()), Window(), timeout=SECONDS)
    assert caught.value.said.startswith(said)


def test_a_window_before_retention_is_not_asked_for(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS)
    adapter = open_kind(KIND, lab, retention_days="30")
    before = Window(until=at_noon() - timedelta(days=30))
    with pytest.raises(OutOfRetention, match=r"^Only the last 30 days are kept there\.$"):
        ask(adapter, before)
    assert lab.counts.questions == 0
    ask(adapter, Window(until=at_noon() - timedelta(days=29)))
    assert lab.counts.questions == 1


def test_without_a_known_retention_everything_is_asked_for(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS)
    ask(open_kind(KIND, lab), Window(until=datetime(2001, 1, 1, tzinfo=UTC)))
    assert lab.counts.questions == 1


def test_the_plan_can_be_read(open_lab: OpenLab) -> None:
    adapter = open_kind(KIND, open_lab(EVENTS))
    answer = adapter.ask(plan_query([parse_file("a.exe")], DAY, adapter.dialect), DAY, timeout=SECONDS)
    (planned,) = read_plan(answer.rows)
    assert (planned.day, planned.rows, planned.groups, planned.recorded) == (NOON.date(), 5, 5, 5)


def test_the_client_is_made_for_each_process_and_kept_in_it(
    open_lab: OpenLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = open_kind(KIND, open_lab(EVENTS))
    made: list[object] = []
    opened = adapter._open  # type: ignore[attr-defined]  # to count how often it is called

    def counted(identity: object) -> object:
        made.append(identity)
        return opened(identity)

    monkeypatch.setattr(adapter, "_open", counted)
    assert made == []
    ask(adapter)
    ask(adapter)
    assert len(made) == 1
    monkeypatch.setattr("footprint.azure.process.os.getpid", lambda: -1)
    ask(adapter)
    assert len(made) == 2
