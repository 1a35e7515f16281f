"""A batch is on what its person saw: never on a value whose verdict is old or missing."""

from __future__ import annotations

import pytest
from django.test import Client

from cases import settling
from cases.batches.freezing import Frozen, freeze
from cases.models import Batch, BatchValue, Case, CaseValue, Decision
from cases.proposal_actions import approve
from cases.refusals import CannotDecide
from cases.settling import settle_waiting
from footprint.accounts.models import Person, Role
from tests.cases.batches.bulk import decided, drafted
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, merge_only, row
from tests.roles import person_with


@pytest.fixture
def case(case: Case) -> Case:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"), row(dns="c.corp.example"))
    return case


def frozen(batch: Batch) -> list[str]:
    return list(BatchValue.objects.filter(batch=batch).order_by("number").values_list("value", flat=True))


def test_a_value_that_was_never_judged_is_left_out(rui: Person, case: Case):
    merge_only(case, row(dns="new.example"), row(dns="b.example", file="b.exe"))
    batch = drafted(rui, case)
    assert (frozen(batch), batch.total, batch.unsettled) == (["a.example", "c.corp.example"], 2, 2)


def test_a_value_whose_verdict_is_old_is_left_out(rui: Person, case: Case, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(settling, "AT_ONCE", 0)
    wide = decide_on(rui, case, "c.corp.example", subject="*.corp.example")
    approve(actor=person_with(Role.LEAD, "lea"), proposal=wide.proposals.get())
    assert frozen(drafted(rui, case)) == ["a.example", "b.example"]
    settle_waiting()
    assert "c.corp.example" in frozen(drafted(rui, case))


def test_nothing_is_decided_on_what_is_left_out(rui: Person, case: Case):
    merge_only(case, row(dns="new.example"))
    decided(rui, case)
    assert not Decision.objects.filter(subject="new.example").exists()


def test_where_all_is_unsettled_it_is_said(rui: Person, case: Case):
    merge_only(case, row(dns="new.example"))
    with pytest.raises(CannotDecide, match="1 value is still being settled"):
        drafted(rui, case, "new.example")


def test_the_draft_says_how_many_are_left_out(rui: Person, case: Case, client: Client):
    merge_only(case, row(dns="new.example"))
    batch = drafted(rui, case)
    client.force_login(rui)
    said = text_of(client.get(f"/cases/{case.pk}/batches/{batch.pk}/"))
    assert "1 value is still being settled and left out" in said


def test_more_than_the_most_is_refused(rui: Person, case: Case, settings):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_most": 1})
    with pytest.raises(CannotDecide, match="more than 1 value"):
        drafted(rui, case)
    assert not BatchValue.objects.exists()


def test_no_more_is_frozen_than_could_be_refused(rui: Person, case: Case):
    batch = drafted(rui, case)
    BatchValue.objects.all().delete()
    assert freeze(batch, CaseValue.objects.filter(case=case), at_most=2) == Frozen(2, 0)
