from __future__ import annotations

import json
from datetime import timedelta

import pytest

from hunts.kql.footprint import Query, seed_query
from hunts.kql.window import Window
from hunts.sources.errors import OutOfRetention, Rejected
from tests.hunts.parquet import NOON, recorded
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import DAY, EVENTS, SECONDS, TOKEN, ask, at_noon, open_kind, question, rows_of

KIND = "defender_xdr"


def test_the_question_goes_out_as_graph_wants_it(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    adapter = open_kind(KIND, lab)
    answer = ask(adapter)
    path, headers, body = lab.asked[-1]
    assert path == "/v1.0/security/runHuntingQuery"
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(body) == {
        "Query": question(adapter).text,
        "Timespan": "2026-11-02T00:00:00.000000Z/2026-11-03T00:00:00.000000Z",
    }
    assert "Timestamp" in question(adapter).text
    assert "TimeGenerated" not in question(adapter).text
    assert [row.ip for row in rows_of(answer)] == [f"192.0.2.{number}" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("window", "timespan"),
    [
        (Window(), None),
        (Window(since=NOON), "2026-11-02T12:00:00.000000Z/2026-11-04T13:00:00.000000Z"),
        (Window(until=NOON), "2026-10-03T13:00:00.000000Z/2026-11-02T12:00:00.000000Z"),
    ],
)
def test_the_window_is_the_timespan(open_lab: OpenLab, window: Window, timespan: str | None) -> None:
    lab = open_lab(clock=at_noon)
    open_kind(KIND, lab).ask(seed_query("a.exe"), window, timeout=SECONDS)
    assert json.loads(lab.asked[-1][2]).get("Timespan") == timespan


def test_a_window_reaches_no_further_than_it_says(open_lab: OpenLab) -> None:
    rows = [recorded("a.exe", "192.0.2.1"), recorded("a.exe", "192.0.2.2", at=NOON - timedelta(days=3))]
    lab = open_lab(rows, clock=at_noon)
    answer = open_kind(KIND, lab).ask(seed_query("a.exe"), DAY, timeout=SECONDS)
    assert list(answer.rows) == [("192.0.2.1", "")]


@pytest.mark.parametrize("in_capitals", [True, False])
@pytest.mark.parametrize("as_text", [True, False])
def test_both_spellings_of_the_schema_are_read(open_lab: OpenLab, in_capitals: bool, as_text: bool) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.graph.schema_in_capitals = in_capitals
    lab.graph.dynamic_as_text = as_text
    row = rows_of(ask(open_kind(KIND, lab)))[0]
    assert (row.ports, row.device_names, row.first_seen) == ([443], ["pc-1"], NOON)


def test_thirty_days_are_kept_and_no_more(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    with pytest.raises(OutOfRetention, match=r"^Only the last 30 days are kept there\.$"):
        ask(open_kind(KIND, lab), Window(until=at_noon() - timedelta(days=30)))
    assert lab.counts.questions == 0


def test_more_is_kept_where_somebody_says_so(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    ask(open_kind(KIND, lab, retention_days="180"), Window(until=at_noon() - timedelta(days=100)))
    assert lab.counts.questions == 1


def test_what_is_wrong_with_a_query_is_said(open_lab: OpenLab) -> None:
    adapter = open_kind(KIND, open_lab(EVENTS, clock=at_noon))
    with pytest.raises(Rejected) as caught:
        adapter.ask(Query("DeviceNetworkEvents | | take 1", ()), Window(), timeout=SECONDS)
    assert caught.value.said == "BadRequest: A recognition error occurred."
