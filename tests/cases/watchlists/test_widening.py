"""Which blocked names may take the names below along, where a format can say a name only like that."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import transaction

from cases.clock import database_now
from cases.models import Case, Decision
from cases.verdicts.subject import Subject, SubjectKind
from cases.watchlists import actions, publishing
from cases.watchlists.computing import Rule, compute, wanted
from cases.watchlists.models import Watchlist
from cases.watchlists.outputs import outputs_of
from footprint.accounts.models import Person, Role
from footprint.ledger.record import Actor
from tests.cases.world import decide_on, merge_and_settle, open_case, row


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


def decide_wide(rui: Person, case: Case, subject: str, verdict: str, scope: str = "everywhere") -> Decision:
    return Decision.objects.create(
        verdict=verdict,
        subject_kind="below",
        subject=subject,
        scope=scope,
        case=case if scope == "case" else None,
        made_in=case,
        reason="Wide",
        state="in force",
        proposer=rui,
        made_at=database_now(),
    )


def may_widen(blocks: Watchlist, name: str) -> bool:
    with transaction.atomic():
        compute(Rule.of(blocks))
        (entry,) = (each for each in wanted() if each.value == name)
    return entry.may_widen


def is_told_to_widen(case: Case, name: str) -> bool:
    """Before the decision is made."""
    told = outputs_of(case, Subject(SubjectKind.NAME, name), "blocked", "everywhere")
    return any(each.why == "subdomains too" for each in told.inexact)


def test_a_name_with_nothing_undecided_below_it_widens(case: Case, rui: Person, blocks: Watchlist):
    merge_and_settle(case, row(dns="a.example"))
    decide_on(rui, case, "a.example")
    assert may_widen(blocks, "a.example")
    assert is_told_to_widen(case, "a.example")


@pytest.mark.parametrize("allowed", ["a.b.example", "b.example", "x.a.b.example"])
def test_a_name_does_not_widen_over_an_allow_below_or_around_it(
    case: Case, rui: Person, blocks: Watchlist, allowed: str
):
    merge_and_settle(case, row(dns="a.b.example"))
    decide_wide(rui, case, allowed, "allowed")
    decide_on(rui, case, "a.b.example")
    assert not may_widen(blocks, "a.b.example")


@pytest.mark.parametrize("allowed", ["a.b.example", "b.example"])
def test_nobody_is_told_that_it_widens_over_an_allow_around_it(case: Case, rui: Person, allowed: str):
    decide_wide(rui, case, allowed, "allowed")
    assert not is_told_to_widen(case, "a.b.example")


def test_a_name_does_not_widen_over_our_own_names(
    case: Case, rui: Person, blocks: Watchlist, monkeypatch: pytest.MonkeyPatch
):
    ours = settings.FOOTPRINT.model_copy(update={"own_names": "corp.example.com"})
    monkeypatch.setattr(settings, "FOOTPRINT", ours)
    merge_and_settle(case, row(dns="example.com"))
    decide_on(rui, case, "example.com")
    assert not may_widen(blocks, "example.com")
    assert not is_told_to_widen(case, "example.com")


@pytest.mark.parametrize("suffix", ["github.io", "lis-w-0114"])
def test_a_name_below_which_anybody_may_be_does_not_widen(
    case: Case, rui: Person, blocks: Watchlist, suffix: str
):
    merge_and_settle(case, row(dns=suffix))
    decide_on(rui, case, suffix)
    assert not may_widen(blocks, suffix)
    assert not is_told_to_widen(case, suffix)


def test_decisions_of_two_cases_have_not_the_same_scope(case: Case, rui: Person, db: None):
    lea = Person.objects.create_user("lea", password="a long enough word", role=Role.LEAD)
    merge_and_settle(case, row(dns="x.example"))
    decide_on(rui, case, "x.example", "allowed", "case")
    decide_wide(rui, open_case(rui, "b.exe"), "x.example", "blocked", "case")
    made = actions.add_watchlist(
        actor=lea,
        slug="of-the-case",
        title="Of the case",
        about="",
        verdict="allowed",
        kinds=["name"],
        scopes=["everywhere", "case"],
        cases=[case],
    )
    publication = publishing.publish(actor=Actor.clock("test"), watchlist=made, why="A test")
    assert publication is not None
    assert publication.entries == 0
    (conflict,) = made.conflicts.all()
    assert (conflict.left_out, conflict.why) == (True, "a block of what is around it, in another scope")
