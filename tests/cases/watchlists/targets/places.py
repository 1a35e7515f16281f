"""Targets of a lab, and what goes to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cases.watchlists.formats import ListEntry
from cases.watchlists.targets.base import Client, Outcome, Plan
from cases.watchlists.targets.calling import Caller
from cases.watchlists.targets.described import Described
from cases.watchlists.targets.open import DEFENDER, SENTINEL, open_target
from cases.watchlists.targets.plan import Room, make_plan, wishes_of
from tests.lab.server import Lab

MARK = "footprint-3f9a1c02"
ALIAS = "all-blocks"
WHERE = {
    "subscription": "11111111-2222-3333-4444-555555555555",
    "resource_group": "soc",
    "workspace": "contoso-soc",
    "alias": ALIAS,
}
KINDS = [SENTINEL, DEFENDER]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def options_at(lab: Lab, kind: str, **options: str) -> dict[str, str]:
    return {**(WHERE if kind == SENTINEL else {}), "endpoint": lab.url, **options}


def open_at(
    lab: Lab, kind: str, *, takes_allows: bool = False, mark: str = MARK, **options: str
) -> tuple[Client, Caller]:
    described = Described(
        kind, options_at(lab, kind, **options), "token:LAB_TOKEN", mark, "All blocks", takes_allows
    )
    return open_target(
        described, environment={"LAB_TOKEN": "lab"}, allow_http=True, wait=lambda seconds: None
    )


def entry(value: str, number: int = 1, *, kind: str = "", **more: Any) -> ListEntry:
    known: dict[str, Any] = {
        "verdict": "blocked",
        "reason": "Beacons every five minutes",
        "decided_by": "Rui Alves",
        "decided_at": NOON,
        "expires_at": None,
        "case": 7,
        "may_widen": True,
    }
    found = kind or ("address" if value[0].isdigit() or ":" in value else "name")
    return ListEntry(kind=found, value=value, decision=number, **(known | more))


def entries(*values: str) -> list[ListEntry]:
    return [entry(value, number) for number, value in enumerate(values, 1)]


def push(client: Client, wanted: Sequence[ListEntry], room: Room | None = None) -> tuple[Plan, list[Outcome]]:
    """Reads, plans and sends, without keeping anything."""
    wishes, refused, _ = wishes_of(client, wanted, 1_000)
    there = client.read({})
    plan = make_plan(wishes, there.items, room or Room(places=there.places), refused)
    return plan, [outcome for step in client.steps(plan, there) for outcome in step.send()]


def values_there(lab: Lab, kind: str) -> list[str]:
    if kind == DEFENDER:
        return lab.defender.values()
    watchlist = lab.sentinel.watchlists.get(ALIAS)
    return sorted(item.content["Value"] for item in watchlist.items.values()) if watchlist else []


def add_by_hand(lab: Lab, kind: str, value: str) -> None:
    if kind == DEFENDER:
        lab.defender.add_by_hand(value)
    else:
        lab.sentinel.add_by_hand(ALIAS, Value=value, Kind="name", Verdict="blocked")


def edit_by_hand(lab: Lab, kind: str, *, gone: str, changed: str) -> None:
    """Removes the item of one value, and makes something else of the other's."""
    if kind == DEFENDER:
        names = {each["indicatorValue"]: name for name, each in lab.defender.indicators.items()}
        del lab.defender.indicators[names[gone]]
        lab.defender.indicators[names[changed]]["action"] = "Audit"
    else:
        items = lab.sentinel.watchlists[ALIAS].items
        ids = {item.content["Value"]: name for name, item in items.items()}
        del items[ids[gone]]
        items[ids[changed]].content["Verdict"] = "allowed"
