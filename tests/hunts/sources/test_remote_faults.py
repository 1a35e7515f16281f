"""Each fault of the lab, through the clients of the services: which error it is, and in which words."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from hunts.kql.cells import UnreadableCell
from hunts.kql.footprint import Query
from hunts.kql.rows import read_rows
from hunts.kql.window import Window
from hunts.sources.errors import (
    NotSignedIn,
    Refused,
    Rejected,
    SourceError,
    Throttled,
    TimedOut,
    Truncated,
    Unavailable,
)
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import EVENTS, KINDS, SERVICES, ask, at_noon, open_kind, rows_of
from tests.lab.faults import FOREVER, Kind


class Ended(NamedTuple):
    error: type[SourceError]
    message: str
    # The beginning of what the service said, by kind of source; the first for those not named.
    said: dict[str, str]
    value: str = ""


LA, XDR, ADX = KINDS
ENDED = {
    Kind.UNAVAILABLE: Ended(
        Unavailable,
        "{} is out of order.",
        {
            LA: "ServiceUnavailable: The service is temporarily unavailable",
            XDR: "ServiceUnavailable: The service is unavailable.",
            ADX: "ServiceUnavailable: The cluster is being upgraded.",
        },
    ),
    Kind.GATEWAY_TIMEOUT: Ended(
        TimedOut, "{} gave no answer in its own time.", dict.fromkeys(KINDS, "504 Gateway Time-out")
    ),
    Kind.EMPTY: Ended(Unavailable, "{} sent something that is no answer.", dict.fromkeys(KINDS, "200 OK")),
    Kind.FORBIDDEN: Ended(
        Refused,
        "{} does not permit this question.",
        {
            LA: "InsufficientAccessError: The provided credentials have insufficient access",
            XDR: "Forbidden: Missing application scopes.",
            ADX: "Forbidden: Principal 'aadapp=1;2' is not authorized",
        },
    ),
    Kind.EXPIRED: Ended(
        NotSignedIn,
        "{} does not accept the credentials.",
        {
            LA: "InvalidAuthenticationToken: The access token is invalid.",
            XDR: "InvalidAuthenticationToken: Lifetime validation failed",
            ADX: "401 Unauthorized",
        },
    ),
    Kind.NOT_JSON: Ended(
        Unavailable,
        "{} sent something that is no answer.",
        dict.fromkeys(KINDS, "Service is starting, please wait"),
    ),
    Kind.REDIRECT: Ended(
        Unavailable, "{} sends us elsewhere, where we do not go.", dict.fromkeys(KINDS, "302 Found")
    ),
    Kind.RENAMED: Ended(
        Rejected, "The answer lacks what was asked for: DNS.", dict.fromkeys(KINDS, "columns: Day,"), "DNS"
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ENDED)
def test_a_fault_is_told_in_the_service_s_own_words(open_lab: OpenLab, kind: str, fault: Kind) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    ended = ENDED[fault]
    lab.fault(fault, FOREVER, ended.value)
    with pytest.raises(SourceError) as caught:
        ask(open_kind(kind, lab))
    assert type(caught.value) is ended.error
    assert str(caught.value) == ended.message.format(SERVICES[kind])
    assert caught.value.said.startswith(ended.said[kind])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (LA, "Log Analytics has no telemetry in this workspace."),
        (XDR, "Defender XDR sent something that is no answer."),
        (ADX, "Data Explorer has nothing to say of this database."),
    ],
)
def test_no_content_is_not_nothing_found(open_lab: OpenLab, kind: str, message: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.NO_CONTENT)
    with pytest.raises((Rejected, Unavailable)) as caught:
        ask(open_kind(kind, lab))
    assert (str(caught.value), caught.value.said) == (message, "204 No Content")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("header", "pause"), [("17", 17.0), ("", 30.0), ("soon", 30.0), ("99999999", 3600.0)]
)
def test_a_throttle_says_how_long(open_lab: OpenLab, kind: str, header: str, pause: float) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.THROTTLED, value=header)
    with pytest.raises(Throttled) as caught:
        ask(open_kind(kind, lab))
    assert caught.value.retry_after == pause
    assert str(caught.value) == f"{SERVICES[kind]} asks for a pause of {pause:g} seconds."
    assert lab.counts.questions == 1


def test_spent_processing_time_says_when_it_comes_back(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.CPU_SPENT)
    with pytest.raises(Throttled) as caught:
        ask(open_kind(XDR, lab))
    assert caught.value.retry_after == 420.0
    assert caught.value.said.startswith("TooManyRequests: You have exceeded processing resources")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "fault", [Kind.UNAVAILABLE, Kind.GATEWAY_TIMEOUT, Kind.RESET, Kind.NOT_JSON, Kind.EMPTY]
)
def test_nothing_is_asked_again_behind_our_back(open_lab: OpenLab, kind: str, fault: Kind) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(fault)
    with pytest.raises((Unavailable, TimedOut)):
        ask(open_kind(kind, lab))
    assert lab.counts.questions == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_reset_in_the_middle_is_no_answer(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.RESET)
    with pytest.raises(Unavailable, match="broke off its answer") as caught:
        ask(open_kind(kind, lab))
    assert "reset" in caught.value.said


@pytest.mark.parametrize("kind", KINDS)
def test_json_of_another_shape_is_no_answer(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.WRONG_JSON)
    with pytest.raises(Unavailable, match=f"^{SERVICES[kind]} sent "):
        ask(open_kind(kind, lab))


def test_rows_beside_an_error_are_partial(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.PARTIAL)
    answer = ask(open_kind(LA, lab))
    assert answer.partial == "-2133196770: A shard could not be read (E_PARTIAL)"
    assert len(rows_of(answer)) == len(EVENTS)


def test_an_error_after_the_tables_of_data_explorer_is_not_overlooked(open_lab: OpenLab) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.PARTIAL)
    with pytest.raises(Unavailable, match=r"^Data Explorer failed while it answered\.$") as caught:
        ask(open_kind(ADX, lab))
    assert caught.value.said == "Internal: A shard could not be read."


@pytest.mark.parametrize("kind", [LA, ADX])
def test_a_cut_answer_is_truncated(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.TRUNCATED, value="3")
    with pytest.raises(Truncated) as caught:
        ask(open_kind(kind, lab))
    assert str(caught.value) == f"The answer is larger than {SERVICES[kind]} gives at once."
    assert "E_QUERY_RESULT_SET_TOO_LARGE" in caught.value.said


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_as_many_rows_as_are_given_is_truncated(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    full = str(len(EVENTS))
    lab.fault(Kind.TRUNCATED, value=full)
    with pytest.raises(Truncated) as caught:
        ask(open_kind(kind, lab, max_rows=full))
    assert str(caught.value) == "The answer has 5 rows, as many as are given at once."
    lab.faults.clear()
    assert len(rows_of(ask(open_kind(kind, lab, max_rows="6")))) == len(EVENTS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_null_in_every_cell_is_named_and_not_taken_for_a_day(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.NULLS)
    answer = ask(open_kind(kind, lab))
    with pytest.raises(UnreadableCell, match=r"^Not a time: 'None'$"):
        list(read_rows(answer.columns, answer.rows))


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_ran_out_is_renewed_once(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    lab.fault(Kind.EXPIRED)
    assert len(rows_of(ask(open_kind(kind, lab)))) == len(EVENTS)
    assert lab.counts.questions == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_that_is_not_believed_twice_is_refused(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon, token="another")
    with pytest.raises(NotSignedIn):
        ask(open_kind(kind, lab))
    assert lab.counts.questions == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_where_nothing_listens_is_unavailable(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS)
    adapter = open_kind(kind, lab)
    lab.__exit__(None, None, None)
    with pytest.raises(Unavailable, match=f"^{SERVICES[kind]} cannot be reached"):
        ask(adapter)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_table_is_named(open_lab: OpenLab, kind: str) -> None:
    lab = open_lab(EVENTS, clock=at_noon)
    adapter = open_kind(kind, lab)
    with pytest.raises(Rejected) as caught:
        adapter.ask(Query("NoSuchTable | take 1", ()), Window(), timeout=20)
    assert str(caught.value) == f"{SERVICES[kind]} does not understand the question."
    assert "'NoSuchTable'" in caught.value.said
