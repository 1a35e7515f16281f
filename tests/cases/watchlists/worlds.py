"""A list with decisions, and targets of a lab that follow it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from cases.models import Case
from cases.watchlists import publishing, reconciling
from cases.watchlists.models import Publication, Receipt, Reconciliation, Target, Watchlist
from cases.watchlists.target_actions import add_target
from footprint.accounts.models import Person
from footprint.ledger.record import Actor
from tests.cases.watchlists.targets.places import options_at
from tests.cases.world import decide_on, merge_and_settle, row
from tests.lab.server import Lab


def allow_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http, a token from the environment, and no waiting between polls."""
    from django.conf import settings

    allowed = settings.FOOTPRINT.model_copy(update={"allow_http_sources": True})
    monkeypatch.setattr(settings, "FOOTPRINT", allowed)
    monkeypatch.setenv("LAB_TOKEN", "lab")


def target_at(lab: Lab, kind: str, watchlist: Watchlist, **fields: Any) -> Target:
    options = options_at(lab, kind, **fields.pop("options", {}))
    return add_target(
        actor=Actor.command("tests"),
        slug=f"lab-{uuid4().hex[:10]}",
        kind=kind,
        watchlist=watchlist,
        options=options,
        credential="token:LAB_TOKEN",
        **fields,
    )


def block(rui: Person, case: Case, *values: str) -> None:
    merge_and_settle(case, *(row(value) if value[0].isdigit() else row(dns=value) for value in values))
    for value in values:
        decide_on(rui, case, value)


def publish(watchlist: Watchlist) -> Publication | None:
    return publishing.publish(actor=Actor.clock("test"), watchlist=watchlist, why="A test")


def to_push(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, *values: str, **fields: Any
) -> Target:
    """A target of a list that was published with these values, not looked at yet."""
    block(rui, case, *values)
    publish(blocks)
    return target_at(lab, kind, blocks, **fields)


def pushed(
    lab: Lab, kind: str, blocks: Watchlist, rui: Person, case: Case, *values: str, **fields: Any
) -> Target:
    """The same once it was reconciled."""
    target = to_push(lab, kind, blocks, rui, case, *values, **fields)
    reconcile(target)
    return target


def reconcile(target: Target) -> Reconciliation:
    """Whatever a pause or a lease says; the record of it."""
    Target.objects.filter(pk=target.pk).update(next_at=target.made_at, not_before=None, lease_until=None)
    reconciling.reconcile(target.pk, "a worker")
    target.refresh_from_db()
    return target.reconciliations.latest("pk")


def receipts(target: Target) -> dict[str, str]:
    return dict(Receipt.objects.filter(target=target).values_list("value", "state"))
