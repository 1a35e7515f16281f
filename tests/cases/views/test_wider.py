"""Deciding on more than a value: what is offered, what is shown before, what becomes a proposal."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases.models import Case, CaseValue, Decision, Proposal
from cases.views import reach
from footprint.accounts.models import Person, Role
from tests.cases.views.pages import HTMX, decide_url, form_for, queue_url, text_of
from tests.cases.world import decide_on, merge_and_settle, row, value_of, verdict_of
from tests.roles import client_with


@pytest.fixture
def value(case: Case) -> CaseValue:
    merge_and_settle(
        case,
        row("203.0.113.1", "a.corp.example"),
        row("203.0.113.2", "b.corp.example", file="b.exe"),
        row("203.0.113.3"),
    )
    return value_of(case, "a.corp.example")


def wider_form(site: Client, value: CaseValue, **changes: str) -> dict[str, str]:
    return form_for(site, value) | {"subject": "*.corp.example", "wider": "1"} | changes


def seen_in(page: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def test_the_wider_subjects_are_offered_with_what_they_cover(site: Client, value: CaseValue) -> None:
    said = text_of(site.get(queue_url(value.case, f"decide={value.pk}&verdict_as=blocked&wider=1")))
    assert "a.corp.example 1 endpoint in 1 case" in said
    assert "*.a.corp.example 1 endpoint in 1 case" in said
    assert "*.corp.example 2 endpoints in 1 case" in said
    assert "*.example" not in said


def test_the_networks_around_an_address_are_offered(site: Client, value: CaseValue) -> None:
    address = value_of(value.case, "203.0.113.3")
    said = text_of(site.get(queue_url(value.case, f"decide={address.pk}&verdict_as=blocked&wider=1")))
    assert "203.0.113.0/24 3 endpoints in 1 case" in said
    assert "203.0.0.0/16" in said


def test_a_look_counts_by_case_and_file_and_saves_nothing(site: Client, value: CaseValue) -> None:
    answer = site.get(f"/cases/{value.case_id}/values/{value.pk}/look", wider_form(site, value), headers=HTMX)
    said = text_of(answer)
    assert "corp.example and everything below it" in said
    assert "Would change 2 endpoints of 2 values in 1 case: 2 undecided → blocked." in said
    assert "Needs a second person, a lead." in said
    assert "b.exe" in said
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("*.com", "too wide"),
        ("*.example", "too wide"),
        ("1.0.0.0/7", "too wide"),
        ("other.example", "does not cover"),
        ("!", "no name, address or network"),
    ],
)
def test_a_look_at_what_cannot_be_says_why(site: Client, value: CaseValue, typed: str, said: str) -> None:
    form = wider_form(site, value, own=typed)
    assert said in text_of(site.get(f"/cases/{value.case_id}/values/{value.pk}/look", form))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_wide_decision_is_looked_at_before_it_is_saved(
    site: Client, value: CaseValue, headers: dict[str, str]
) -> None:
    form = wider_form(site, value, reason="Their whole domain")
    first = site.post(decide_url(value), form, headers=headers)
    assert first.status_code == 422
    assert "Not saved yet." in text_of(first)
    assert "Their whole domain" in first.content.decode()
    assert not Decision.objects.exists()
    form["seen"] = seen_in(first.content.decode())
    site.post(decide_url(value), form, headers=headers)
    decision = Decision.objects.get()
    assert (decision.state, decision.subject_typed) == ("proposed", "*.corp.example")


def test_what_moved_between_looking_and_confirming_is_looked_at_again(site: Client, value: CaseValue) -> None:
    form = wider_form(site, value)
    form["seen"] = seen_in(site.post(decide_url(value), form).content.decode())
    merge_and_settle(value.case, row("203.0.113.9", "c.corp.example"))
    again = site.post(decide_url(value), form)
    assert "has moved since you looked" in text_of(again)
    assert "Would change 3 endpoints" in text_of(again)
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"own": "*.com"}, "too wide"),
        ({"own": "0.0.0.0/0"}, "too wide"),
        ({"own": "x" * 301}, "at most 300 characters"),
        ({"until_date": "2020-01-01"}, "This day is over"),
        ({"until_date": "soon"}, "year-month-day"),
        ({"reason": ""}, "Say why"),
        ({"reason": "x" * 5000}, "at most 2,000 characters"),
        ({"reason": "turned \u202e around"}, "nobody can see"),
        ({"reason": "bell \x07 rings"}, "nobody can see"),
        ({"own": "*.co.uk"}, "too wide"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    site: Client, value: CaseValue, change: dict[str, str], said: str
) -> None:
    form = wider_form(site, value, reason="My long reason") | change
    answer = site.post(decide_url(value), form)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert form["reason"] in answer.content.decode()
    assert form.get("own", "") in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_decision_may_end_with_a_day(site: Client, value: CaseValue) -> None:
    day = timezone.localdate() + timedelta(days=3)
    site.post(decide_url(value), form_for(site, value, until_date=day.isoformat()))
    ends = Decision.objects.get().expires_at
    assert ends is not None
    assert timezone.localdate(ends) == day


def test_a_decision_may_count_for_one_file(site: Client, value: CaseValue) -> None:
    file = value.case.files.get(key="a.exe")
    site.post(decide_url(value), form_for(site, value, scope="file", file=str(file.pk)))
    decision = Decision.objects.get()
    assert (decision.scope, decision.file_key) == ("file", "a.exe")


def test_a_lookalike_is_shown_in_both_forms(site: Client, case: Case) -> None:
    merge_and_settle(case, row("203.0.113.5", "xn--pple-43d.example"))
    value = value_of(case, "xn--pple-43d.example")
    said = text_of(site.get(queue_url(case, f"decide={value.pk}&verdict_as=blocked")))
    assert "xn--pple-43d.example shown to people as аpple.example" in said


def test_an_analyst_proposes_from_the_queue(value: CaseValue) -> None:
    analyst = client_with(Role.ANALYST)
    answer = analyst.post(decide_url(value), form_for(analyst, value), headers=HTMX)
    assert "It waits for a second person." in text_of(answer)
    assert Proposal.objects.waiting().count() == 1
    assert verdict_of(value.case, value.value) == "undecided"
    assert "Analyst proposed to block this" in analyst.get(queue_url(value.case)).content.decode()


def test_a_row_shows_a_wider_proposal_that_would_cover_it(
    site: Client, value: CaseValue, rui: Person
) -> None:
    decide_on(rui, value.case, "a.corp.example", subject="*.corp.example")
    page = site.get(queue_url(value.case)).content.decode()
    assert page.count("Rui Alves proposed to block this") == 2


def test_a_value_that_many_devices_talk_to_says_that_it_needs_two(site: Client, case: Case) -> None:
    devices: dict[str, Any] = {"devices": 30, "device_names": [f"pc-{n}" for n in range(26)]}
    merge_and_settle(case, row("203.0.113.6", "cdn.example", **devices))
    value = value_of(case, "cdn.example")
    said = text_of(site.get(queue_url(case, f"decide={value.pk}&verdict_as=blocked")))
    assert "Needs a second person. 30 devices talk to it." in said
    site.post(decide_url(value), form_for(site, value))
    assert Decision.objects.get().state == "proposed"


def test_a_reason_can_be_taken_from_those_offered(site: Client, value: CaseValue) -> None:
    page = site.get(queue_url(value.case, f"decide={value.pk}&verdict_as=blocked&reason=0")).content.decode()
    assert re.search(r"<textarea[^>]*>\s*Command channel of malicious software</textarea>", page)


def test_a_conflict_over_a_wider_subject_keeps_what_was_chosen(
    site: Client, value: CaseValue, ana: Person
) -> None:
    form = wider_form(site, value, scope="case")
    form["seen"] = seen_in(site.post(decide_url(value), form).content.decode())
    decide_on(ana, value.case, "a.corp.example", "allowed")
    answer = site.post(decide_url(value), form)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert 'name="subject" value="*.corp.example"' in page
    assert "Save mine beside it" in page


def test_a_count_that_was_cut_is_at_least(site: Client, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    merge_and_settle(case, *(row(f"203.0.113.{n}", "many.example") for n in range(3)))
    value = value_of(case, "many.example")
    address = f"/cases/{case.pk}/?decide={value.pk}&verdict_as=blocked"
    assert "Covers 3 endpoints here" in text_of(site.get(address))
    monkeypatch.setattr(reach, "COUNTED_AT_MOST", 2)
    assert "Covers at least 2 endpoints here" in text_of(site.get(address))
