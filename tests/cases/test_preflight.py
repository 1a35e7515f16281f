from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from cases import preflight as preflight_module
from cases.models import Case
from cases.preflight import ENDPOINTS_AT_MOST, Preflight, preflight
from cases.verdicts.subject import read_subject
from footprint.accounts.models import Person
from tests.cases.known.lists import known_list
from tests.cases.verdicts.test_settle import put
from tests.cases.world import decide_on, merge_and_settle, open_case, row


def before(case: Case, typed: str, verdict: str = "blocked", scope: str = "everywhere") -> Preflight:
    return preflight(case=case, subject=read_subject(typed), verdict=verdict, scope=scope)


def test_a_block_of_what_is_known_good_warns_with_list_and_entry(case: Case):
    known_list("office", ["52.96.0.0/14"])
    (hit,) = before(case, "52.96.1.1").warning_hits
    assert (hit.list_name, hit.matched, hit.category_words) == ("Office", "52.96.0.0/14", "known good")


def test_an_allow_of_what_is_known_good_is_only_told(case: Case):
    known_list("office", ["52.96.0.0/14"])
    found = before(case, "52.96.1.1", "allowed")
    assert found.warning_hits == []
    assert [hit.list_slug for hit in found.other_hits] == ["office"]


def test_an_allow_of_what_is_known_bad_warns(case: Case):
    known_list("sinkholes", ["beacon.example"], "bad")
    assert [hit.list_slug for hit in before(case, "beacon.example", "allowed").warning_hits] == ["sinkholes"]
    assert before(case, "beacon.example", "blocked").warning_hits == []


def test_own_and_private_ranges_are_named(case: Case, settings: Any):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(
        update={"own_networks": "10.7.0.0/16", "own_names": "contoso.com"}
    )
    assert [(each.text, each.is_own) for each in before(case, "10.7.0.9").ranges] == [
        ("10.7.0.0/16", True),
        ("10.0.0.0/8", False),
    ]
    assert [each.text for each in before(case, "vpn.contoso.com").ranges] == ["contoso.com"]
    assert before(case, "fabrikam.com").ranges == []


def test_prevalence_counts_cases_files_and_devices(case: Case, other_case: Case):
    merge_and_settle(case, row("1.1.1.1", "a.example", device_names=["one", "two"]))
    merge_and_settle(case, row("1.1.1.2", "a.example", file="b.exe", device_names=["two"]))
    merge_and_settle(other_case, row("1.1.1.1", "a.example", device_names=["three"]))
    seen = before(case, "a.example").prevalence
    assert (seen.endpoints, seen.cases, seen.files, seen.devices) == (3, 2, 2, 3)
    assert not seen.is_cut
    assert not seen.devices_cut


def test_what_nobody_has_seen_yet_says_so(case: Case):
    seen = before(case, "nowhere.example").prevalence
    assert (seen.endpoints, seen.cases, seen.devices) == (0, 0, 0)


def test_the_numbers_of_what_is_everywhere_are_at_least(case: Case):
    rows = [row("1.1.1.1", f"n{number}.example") for number in range(ENDPOINTS_AT_MOST + 1)]
    merge_and_settle(case, *rows)
    found = before(case, "1.1.1.1")
    assert found.prevalence.is_cut
    assert found.prevalence.devices_cut
    assert found.prevalence.endpoints == ENDPOINTS_AT_MOST


def test_names_on_an_address_are_told_with_the_allowed_ones(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"), row("1.1.1.1", "b.example"), row("1.1.1.1"))
    decide_on(rui, case, "b.example", "allowed", "case")
    beside = before(case, "1.1.1.1").beside
    assert (beside.named, beside.total, beside.allowed) == (("a.example", "b.example"), 2, ("b.example",))


def test_addresses_of_a_name_are_told_with_the_other_names_there(case: Case):
    merge_and_settle(
        case, row("1.1.1.1", "a.example"), row("1.1.1.1", "b.example"), row("1.1.1.2", "a.example")
    )
    beside = before(case, "a.example").beside
    assert (beside.named, beside.total) == (("1.1.1.1", "1.1.1.2"), 2)
    assert beside.neighbours == ("b.example",)


def test_names_below_a_star_are_no_neighbours_of_it(case: Case):
    merge_and_settle(case, row("1.1.1.1", "a.b.example"), row("1.1.1.1", "c.b.example"))
    assert before(case, "*.b.example").beside.neighbours == ()


@pytest.mark.parametrize(
    ("decided", "asked", "relation"),
    [
        ("a.b.example", "a.b.example", "the same"),
        ("a.b.example", "*.b.example", "inside it"),
        ("1.1.1.1", "1.1.1.0/24", "inside it"),
    ],
)
def test_a_block_names_the_allows_it_meets(case: Case, rui: Person, decided: str, asked: str, relation: str):
    merge_and_settle(case, row("1.1.1.1"), row("1.1.1.2", "a.b.example"))
    allow = decide_on(rui, case, decided, "allowed", "case", reason="Our vendor")
    (against,) = before(case, asked).against
    assert (against.decision, against.relation, against.wins) == (allow, relation, True)


def test_a_narrower_scope_overrides_what_counts_everywhere(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    decide_on(rui, case, "a.example", "blocked", "everywhere")
    (against,) = before(case, "a.example", "allowed", "case").against
    assert not against.wins


def test_a_decision_in_another_case_is_no_matter_of_this_one(case: Case, other_case: Case, rui: Person):
    for each in (case, other_case):
        merge_and_settle(each, row("1.1.1.1", "a.example"))
    decide_on(rui, other_case, "a.example", "allowed", "case")
    assert before(case, "a.example", "blocked", "case").against == []
    assert len(before(case, "a.example", "blocked", "everywhere").against) == 1


def test_decisions_of_the_same_verdict_are_not_against_it(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    decide_on(rui, case, "a.example", "blocked", "case")
    assert before(case, "a.example").against == []


@pytest.mark.parametrize("typed", ["a.b.example", "*.b.example", "1.1.1.1", "1.1.1.0/24", "2001:db8::/32"])
def test_a_fixed_number_of_questions(
    case: Case, rui: Person, typed: str, django_assert_max_num_queries: DjangoAssertNumQueries
):
    for number in range(3):
        one = open_case(rui, f"{number}.exe", "a.exe")
        merge_and_settle(one, row("1.1.1.1", "a.b.example"))
        decide_on(rui, one, "a.b.example", "allowed", "case")
    with django_assert_max_num_queries(4):
        before(case, typed)


def test_decisions_against_it_beyond_those_looked_at_are_at_least(
    case: Case, rui: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        put(rui, case, f"n{number}.corp.example", "allowed")
    whole = before(case, "*.corp.example")
    assert (whole.against_more, whole.against_is_cut) == (3, False)
    monkeypatch.setattr(preflight_module, "_LOOKED_AT", 6)
    cut = before(case, "*.corp.example")
    assert (cut.against_more, cut.against_is_cut) == (2, True)
