"""The Test of a source: the first thing that does not work, in the service's words, and what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hunts.sources import data_explorer, defender_xdr, log_analytics
from hunts.sources.base import Step
from hunts.sources.open import open_source
from tests.hunts.parquet import NOON, recorded
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import EVENTS, KINDS, SERVICES, WORKSPACE, at_noon, open_kind
from tests.lab.faults import FOREVER, Kind

ADVICE = {
    "log_analytics": log_analytics.ADVICE,
    "defender_xdr": defender_xdr.ADVICE,
    "data_explorer": data_explorer.ADVICE,
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_steps_of_a_good_source_pass(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab([*EVENTS, recorded("b.exe", at=NOON - timedelta(days=9))], clock=at_noon)
    probe = open_kind(kind, lab).probe()
    assert [check.step for check in probe.checks] == list(Step)
    assert probe.passed
    assert probe.newest == NOON
    found = [check.found for check in probe.checks]
    assert found[:5] == [
        f"{lab.url} answers.",
        "Signed in with a token.",
        f"{SERVICES[kind]} takes our questions.",
        "DeviceNetworkEvents is there, with every column we ask for.",
        "The newest event is of 2026-11-02 12:00 UTC.",
    ]
    assert found[5].startswith("The oldest event is of 2026-10-24 12:00 UTC (9 days ago).")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "value", "step"),
    [
        (Kind.UNAVAILABLE, "", Step.REACHED),
        (Kind.THROTTLED, "5", Step.REACHED),
        (Kind.EXPIRED, "", Step.SIGNED_IN),
        (Kind.FORBIDDEN, "", Step.PERMITTED),
        (Kind.RENAMED, "Ports", Step.TABLE),
    ],
)
def test_the_first_failure_ends_the_test(
    open_lab: OpenLab, kind: str, fault: Kind, value: str, step: Step
) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(fault, FOREVER, value)
    probe = open_kind(kind, lab).probe()
    assert not probe.passed
    order = list(Step)
    assert [check.step for check in probe.checks] == order[: order.index(step) + 1]
    *passed, failed = probe.checks
    assert all(check.passed for check in passed)
    assert not failed.passed
    assert failed.said
    assert failed.advice == ADVICE[kind][step]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_listens_is_not_reached(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS)
    adapter = open_kind(kind, lab)
    lab.__exit__(None, None, None)
    (check,) = adapter.probe().checks
    assert (check.step, check.passed) == (Step.REACHED, False)
    assert check.found == f"{SERVICES[kind]} cannot be reached."
    assert "refused" in check.said
    assert check.advice == ADVICE[kind][Step.REACHED]


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_table_has_no_newest_event(open_lab: OpenLab, kind: str) -> None:
    probe = open_kind(kind, open_lab(clock=at_noon)).probe()
    failed = probe.checks[-1]
    assert (failed.step, failed.passed, failed.found) == (Step.NEWEST, False, "DeviceNetworkEvents is empty.")
    assert failed.advice == ADVICE[kind][Step.NEWEST]
    assert probe.newest is None


@pytest.mark.parametrize("kind", KINDS)
def test_an_old_newest_event_says_how_old(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=lambda: at_noon() + timedelta(days=12))
    probe = open_kind(kind, lab, clock=lab.clock).probe()
    assert probe.checks[4].found == "The newest event is of 2026-11-02 12:00 UTC (12 days ago)."


def test_a_wrong_workspace_is_not_permitted(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.log_analytics.workspaces = frozenset()
    failed = open_kind("log_analytics", lab).probe().checks[-1]
    assert (failed.step, failed.said) == (
        Step.PERMITTED,
        "PathNotFoundError: The requested path does not exist",
    )
    assert "workspace ID" in failed.advice


def test_a_variable_that_is_not_set_fails_signing_in(open_lab: OpenLab) -> None:
    adapter = open_source(
        "log_analytics",
        {"workspace": WORKSPACE, "endpoint": open_lab(EVENTS).url},
        "token:NOT_SET",
        environment={},
        allow_http=True,
    )
    failed = adapter.probe().checks[-1]
    assert (failed.step, failed.passed) == (Step.SIGNED_IN, False)
    assert failed.found == "The variable NOT_SET is not set here, and NOT_SET_FILE is not either."
