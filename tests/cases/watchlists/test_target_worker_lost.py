from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from cases.watchlists.hints import hint_targets
from cases.watchlists.models import Receipt, Target, Watchlist
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests import house
from tests.cases.watchlists.worlds import allow_lab, block, publish, target_at
from tests.cases.world import open_case
from tests.conftest import StartWorker
from tests.lab.faults import Kind
from tests.lab.server import Lab


def test_fault_43_a_worker_killed_between_the_services_200_and_its_commit(
    lab: Lab, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow_lab(monkeypatch)
    rui = Person.objects.create(username="rui", role=Role.REVIEWER)
    case = open_case(rui, "a.exe")
    block(rui, case, "198.51.101.7")
    blocks = Watchlist.objects.get(slug="all-blocks")
    publish(blocks)
    target = target_at(lab, "defender", blocks)
    # The list is read first, and then the import is carried out and not answered.
    lab.fault(Kind.FINE)
    lab.fault(Kind.WITHHELD)
    killed = start_worker(FOOTPRINT_ALLOW_HTTP_SOURCES=1, LAB_TOKEN="lab")
    hint_targets()
    house.wait_until(lambda: lab.defender.indicators)
    killed.kill()
    assert Receipt.objects.get().state == "pending"
    Target.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    start_worker(FOOTPRINT_ALLOW_HTTP_SOURCES=1, LAB_TOKEN="lab")
    hint_targets()
    house.wait_until(lambda: Receipt.objects.get().state == "accepted")
    house.wait_until(lambda: Target.objects.get().stand == "same")
    assert lab.defender.values() == ["198.51.101.7"]
    assert [path for _, path in lab.requests].count("/api/indicators/import") == 1
    assert Entry.objects.get(event="watchlists:target:reconciled").content["after"]["added"] == 1
    assert target.reconciliations.filter(said="The worker was lost.").count() == 1
