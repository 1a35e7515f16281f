"""What the services answer is what the local source answers, whatever is in the telemetry."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hunts.kql.files import parse_file
from hunts.kql.footprint import footprint_query
from hunts.kql.plan import plan_query, read_plan
from hunts.kql.rows import Row
from hunts.kql.window import Window
from hunts.sources.errors import Truncated
from hunts.sources.planned import Question
from tests.hunts.parquet import NOON, adapter_over, recorded
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import KINDS, SECONDS, at_noon, open_kind, rows_of
from tests.lab.faults import FOREVER, Kind

NASTY = ['"', "\\", "[1]", "null", "None", "a,b", "größe.exe", "\u202e", "'", "{}", "日本", "NaN", "", " x "]
WINDOW = Window.days((NOON - timedelta(days=3)).date(), NOON.date())


def events() -> list[dict[str, Any]]:
    rows = []
    for number in range(60):
        nasty = NASTY[number % len(NASTY)]
        rows.append(
            recorded(
                "A.exe" if number % 2 else "a.EXE",
                f"192.0.2.{number % 20}",
                nasty if number % 3 else f"x{number % 7}.example",
                NOON - timedelta(hours=number, microseconds=number),
                DeviceId=f"d{number % 5}",
                DeviceName=nasty,
                RemotePort=number % 9 or None,
                ActionType="ConnectionSuccess",
                InitiatingProcessCommandLine=f"a.exe {nasty}",
                InitiatingProcessAccountName=nasty,
            )
        )
    return rows


def in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.day, row.file, row.ip, row.dns))


@pytest.mark.parametrize("kind", KINDS)
def test_the_rich_question_has_the_rows_of_the_local_source(
    open_lab: OpenLab, tmp_path: Path, kind: str
) -> None:
    local = adapter_over(tmp_path, events())
    remote = open_kind(kind, open_lab(events(), clock=at_noon))
    files = [parse_file("a.exe"), parse_file("größe.exe")]
    answers = [
        adapter.ask(footprint_query(files, WINDOW, adapter.dialect), WINDOW, timeout=SECONDS)
        for adapter in (local, remote)
    ]
    expected, found = (in_order(rows_of(answer)) for answer in answers)
    assert found == expected
    assert len(found) > 30


@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_is_the_one_of_the_local_source(open_lab: OpenLab, tmp_path: Path, kind: str) -> None:
    local = adapter_over(tmp_path, events())
    remote = open_kind(kind, open_lab(events(), clock=at_noon))
    plans = [
        read_plan(
            adapter.ask(
                plan_query([parse_file("a.exe")], WINDOW, adapter.dialect), WINDOW, timeout=SECONDS
            ).rows
        )
        for adapter in (local, remote)
    ]
    assert plans[0] == plans[1]
    assert len(plans[0]) == 3


@pytest.mark.parametrize("kind", ["log_analytics", "defender_xdr"])
def test_a_service_that_gives_few_rows_at_once_gives_all_of_them_in_pieces(
    open_lab: OpenLab, tmp_path: Path, kind: str
) -> None:
    local = adapter_over(tmp_path, events())
    lab = open_lab(events(), clock=at_noon)
    for service in (lab.log_analytics, lab.graph, lab.kusto):
        service.max_rows = 12
    remote = open_kind(kind, lab, max_rows="12")
    with pytest.raises(Truncated):
        remote.ask(footprint_query([parse_file("a.exe")], WINDOW, remote.dialect), WINDOW, timeout=SECONDS)
    found, expected = (
        in_order(list(Question(adapter, [parse_file("a.exe")], WINDOW, SECONDS, 50_000).rows(lambda _: None)))
        for adapter in (remote, local)
    )
    assert found == expected


def test_a_partial_plan_proves_nothing(open_lab: OpenLab) -> None:
    lab = open_lab(events(), clock=at_noon)
    lab.fault(Kind.PARTIAL, FOREVER)
    question = Question(open_kind("log_analytics", lab), [parse_file("a.exe")], WINDOW, SECONDS, 50_000)
    with pytest.raises(Truncated, match="proves nothing"):
        list(question.rows(lambda _: None))
