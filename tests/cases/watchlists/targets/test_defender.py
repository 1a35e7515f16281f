from __future__ import annotations

from datetime import timedelta

import pytest

from footprint.azure.errors import Rejected
from tests.cases.watchlists.targets.places import MARK, NOON, entries, entry, open_at, push
from tests.lab.server import Lab


def test_an_indicator_says_what_and_why(lab: Lab):
    client, _ = open_at(lab, "defender")
    push(client, [entry("198.51.101.7", 12, expires_at=NOON + timedelta(days=30))])
    (kept,) = lab.defender.indicators.values()
    assert {name: kept[name] for name in ("indicatorType", "action", "title", "description", "severity")} == {
        "indicatorType": "IpAddress",
        "action": "Block",
        "title": f"Footprint decision 12 ({MARK})",
        "description": "Beacons every five minutes",
        "severity": "Medium",
    }
    assert kept["expirationTime"].startswith("2026-12-20T12:00:00")


def test_ipv6_is_written_with_eight_segments(lab: Lab):
    client, _ = open_at(lab, "defender")
    push(client, entries("2606:4700::1111"))
    assert lab.defender.values() == ["2606:4700:0:0:0:0:0:1111"]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (entry("9.9.9.0/24", kind="network"), "a network: Defender takes single addresses only"),
        (entry("10.0.0.7"), "not a public address: Defender refuses those"),
        (entry("a.example", may_widen=False), "not all of them are known as blocked"),
        (entry("a.example", verdict="allowed"), "this target takes blocks only"),
        (entry("=cmd|' /C calc'!A0", kind="text"), "unreadable text"),
    ],
)
def test_what_it_cannot_take_is_never_sent(lab: Lab, wanted: object, why: str):
    client, _ = open_at(lab, "defender")
    plan, _ = push(client, [wanted])  # type: ignore[list-item]  # an entry
    assert why in plan.refused[0].why
    assert {method for method, _ in lab.requests} == {"GET"}


def test_allows_are_sent_once_they_are_switched_on(lab: Lab):
    client, _ = open_at(lab, "defender", takes_allows=True)
    push(client, [entry("a.example", kind="below", verdict="allowed")])
    (kept,) = lab.defender.indicators.values()
    assert kept["action"] == "Allowed"


def test_fault_41_batches_have_500_and_failures_inside_them_are_told(lab: Lab):
    client, _ = open_at(lab, "defender")
    lab.defender.refused["n7.example"] = "InvalidDomainName"
    _, outcomes = push(client, entries(*(f"n{number}.example" for number in range(700))))
    imports = [path for _, path in lab.requests if path.endswith("import")]
    failed = [outcome for outcome in outcomes if not outcome.is_done]
    assert (len(imports), len(outcomes)) == (2, 700)
    assert [(outcome.key, outcome.words) for outcome in failed] == [
        ("DomainName n7.example", "InvalidDomainName")
    ]


def test_half_a_batch_refused_leaves_the_other_half_accepted(lab: Lab):
    client, _ = open_at(lab, "defender")
    for number in range(0, 10, 2):
        lab.defender.refused[f"n{number}.example"] = "InvalidDomainName"
    _, outcomes = push(client, entries(*(f"n{number}.example" for number in range(10))))
    assert sum(outcome.is_done for outcome in outcomes) == len(lab.defender.indicators) == 5


def test_one_indicator_that_spoils_its_batch_is_found(lab: Lab):
    client, _ = open_at(lab, "defender")
    lab.defender.spoiling.add("n5.example")
    _, outcomes = push(client, entries(*(f"n{number}.example" for number in range(20))))
    assert [outcome.key for outcome in outcomes if not outcome.is_done] == ["DomainName n5.example"]
    assert len(lab.defender.indicators) == 19


def test_when_none_is_taken_it_gives_up(lab: Lab):
    client, _ = open_at(lab, "defender")
    names = [f"n{number}.example" for number in range(200)]
    lab.defender.spoiling |= set(names)
    with pytest.raises(Rejected, match="takes none"):
        push(client, entries(*names))
    assert len(lab.requests) < 60


def test_fault_41_a_full_tenant_is_known_before_anything_is_sent(lab: Lab):
    lab.defender.limit = 15_000
    for number in range(14_998):
        lab.defender.indicators[f"t{number}"] = {
            "id": f"t{number}",
            "indicatorValue": f"t{number}.example",
            "indicatorType": "DomainName",
            "title": "Theirs",
        }
    client, _ = open_at(lab, "defender")
    plan, _ = push(client, entries("a.example", "b.example", "c.example"))
    assert [wish.key for wish in plan.adds] == ["DomainName c.example", "DomainName b.example"]
    assert [why for _, why in plan.waiting] == ["waits: the service is full"]
    assert len(lab.defender.indicators) == 15_000


def test_an_indicator_of_somebody_else_is_not_overwritten(lab: Lab):
    lab.defender.add_by_hand("a.example", action="Warn")
    client, _ = open_at(lab, "defender")
    plan, _ = push(client, entries("a.example"))
    assert [each.why for each in plan.refused] == ["left to others: sam@contoso.example has it there"]
    assert [each["action"] for each in lab.defender.indicators.values()] == ["Warn"]


def test_a_removal_of_many_goes_in_batches(lab: Lab):
    client, _ = open_at(lab, "defender")
    push(client, entries(*(f"n{number}.example" for number in range(600))))
    lab.requests.clear()
    push(client, [])
    assert [path for method, path in lab.requests if method == "POST"] == ["/api/indicators/BatchDelete"] * 2
    assert lab.defender.indicators == {}


@pytest.mark.parametrize("name", ["action", "description", "severity", "expirationTime"])
def test_an_indicator_edited_by_hand_is_mended(lab: Lab, name: str):
    client, _ = open_at(lab, "defender")
    push(client, entries("a.example"))
    (kept,) = lab.defender.indicators.values()
    kept[name] = "2030-01-01T00:00:00Z"
    plan, _ = push(client, entries("a.example"))
    assert len(plan.changes) == 1
    assert push(client, entries("a.example"))[0].is_empty


def test_an_expiry_comes_back_as_it_was_sent(lab: Lab):
    client, _ = open_at(lab, "defender")
    wanted = [entry("a.example", expires_at=NOON + timedelta(microseconds=7))]
    push(client, wanted)
    assert push(client, wanted)[0].is_empty
