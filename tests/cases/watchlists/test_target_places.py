"""Where a target is, and where it cannot move to."""

from __future__ import annotations

import pytest

from cases.models import Case
from cases.watchlists.models import Reconciliation, Target, Watchlist
from cases.watchlists.target_actions import (
    change_target,
)
from footprint.accounts.models import Person
from footprint.azure.errors import BadSetting
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from tests.cases.watchlists.targets.places import ALIAS
from tests.cases.watchlists.worlds import (
    allow_lab,
    pushed,
    reconcile,
    target_at,
)
from tests.lab.faults import Kind
from tests.lab.server import Lab


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow_lab(monkeypatch)


def test_no_secret_is_in_the_row_or_the_ledger(lab: Lab, blocks: Watchlist, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LAB_TOKEN", "planted-secret")
    target = target_at(lab, "defender", blocks)
    lab.fault(Kind.FORBIDDEN)
    reconcile(target)
    texts = [*Entry.objects.values_list("text", flat=True), str(Target.objects.values().get())]
    texts += [str(each) for each in Reconciliation.objects.values()]
    assert not [text for text in texts if "planted-secret" in text]


def test_a_place_with_entries_is_not_left_behind(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    target = pushed(lab, "sentinel", blocks, rui, case, "a.example")
    with pytest.raises(BadSetting, match="Retire this target"):
        change_target(
            actor=Actor.person(lea), target=target, options={**target.options, "alias": "elsewhere"}
        )


def test_two_targets_at_one_place_are_refused(lab: Lab, blocks: Watchlist):
    target_at(lab, "sentinel", blocks)
    with pytest.raises(BadSetting, match="pushed there already"):
        target_at(lab, "sentinel", blocks)


@pytest.mark.parametrize("name", ["authority", "audience", "endpoint", "workspace"])
def test_a_place_is_also_whom_tokens_are_for_and_who_gives_them_out(
    lab: Lab, name: str, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    target = pushed(lab, "sentinel", blocks, rui, case, "a.example")
    value = "another-workspace" if name == "workspace" else "https://elsewhere.example"
    with pytest.raises(BadSetting, match="Retire this target") as refused:
        change_target(actor=Actor.person(lea), target=target, options={**target.options, name: value})
    assert refused.value.field == name


def test_the_tenant_of_indicators_is_the_one_of_the_credential(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    target = pushed(lab, "defender", blocks, rui, case, "a.example")
    with pytest.raises(BadSetting, match="Retire this target") as refused:
        change_target(actor=Actor.person(lea), target=target, credential="client_secret:OTHER")
    assert refused.value.field == "credential"


def test_another_credential_for_the_same_workspace_is_a_plain_change(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, lea: Person
):
    target = pushed(lab, "sentinel", blocks, rui, case, "a.example")
    change_target(actor=Actor.person(lea), target=target, credential="client_secret:OTHER")
    assert target.credential == "client_secret:OTHER"


def test_two_targets_at_one_place_are_refused_however_it_is_written(lab: Lab, blocks: Watchlist):
    one = target_at(lab, "sentinel", blocks)
    with pytest.raises(BadSetting, match="pushed there already"):
        target_at(lab, "sentinel", blocks, options={"alias": ALIAS.upper(), "api_version": "2024-03-01"})
    in_braces = f"{{{one.options['subscription']}}}".upper()
    with pytest.raises(BadSetting, match="pushed there already"):
        target_at(lab, "sentinel", blocks, options={"subscription": in_braces})
