from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases.models import Case, CaseValue, Decision
from cases.proposal_actions import approve
from footprint.accounts.models import Person, Role
from tests.cases.views.pages import HTMX, decide_url, form_for, queue_url, text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row, value_of, verdict_of
from tests.roles import person_with


@pytest.fixture
def value(case: Case) -> CaseValue:
    merge_and_settle(case, row("203.0.113.1", "a.example"), row("203.0.113.2", "b.example"))
    return value_of(case, "a.example")


def test_a_block_counts_everywhere_without_end_unless_changed(site: Client, value: CaseValue) -> None:
    form = form_for(site, value)
    assert form["scope"] == "everywhere"
    site.post(decide_url(value), form)
    decision = Decision.objects.get()
    assert (decision.verdict, decision.scope, decision.expires_at) == ("blocked", "everywhere", None)
    assert verdict_of(value.case, "a.example") == "blocked"


def test_an_allow_counts_in_this_case_for_a_year_unless_changed(site: Client, value: CaseValue) -> None:
    page = site.get(queue_url(value.case, f"decide={value.pk}&verdict_as=allowed")).content.decode()
    assert '<option value="365" selected>' in page
    site.post(decide_url(value), form_for(site, value, "allowed", until="365"))
    decision = Decision.objects.get()
    assert (decision.verdict, decision.scope) == ("allowed", "case")
    assert decision.expires_at is not None
    assert abs(decision.expires_at - timezone.now() - timedelta(days=365)) < timedelta(minutes=5)


def test_without_javascript_the_queue_comes_back_with_an_undo(site: Client, value: CaseValue) -> None:
    answer = site.post(decide_url(value), form_for(site, value, back="verdict=undecided"))
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/cases/{value.case_id}/?verdict=undecided"
    page = site.get(answer.headers["Location"]).content.decode()
    decision = Decision.objects.get()
    assert "Blocked a.example everywhere." in page
    assert f'action="/cases/{value.case_id}/decisions/{decision.pk}/undo"' in page


def test_htmx_gets_the_row_the_counts_and_the_undo(site: Client, value: CaseValue) -> None:
    answer = site.post(decide_url(value), form_for(site, value), headers=HTMX)
    part = answer.content.decode()
    assert part.lstrip().startswith(f'<div role="rowgroup" id="value-{value.pk}"')
    assert 'id="match-count"' in part
    assert "1 of 2 undecided" in text_of(answer)
    assert "data-undo" in part
    assert f'{{"decided": {{"value": {value.pk}}}}}' == answer.headers["HX-Trigger-After-Settle"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": ""}, "Say why: the reason goes to the ledger."),
        ({"reason": " \n "}, "Say why: the reason goes to the ledger."),
        ({"reason": "x" * 2001}, "at most 2,000 characters"),
        ({"scope": "galaxy"}, "Select a valid choice"),
        ({"until": "7000"}, "Select a valid choice"),
        ({"until_date": "9999-12-31"}, "An expiry lies 10 years ahead at most"),
        ({"reason": "nul \x00"}, "Null characters are not allowed"),
        ({"reason": "turned \u202e around"}, "a character that nobody can see: \\u202e after “turned ”"),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_what_is_wrong_is_said_at_the_field(
    site: Client, value: CaseValue, change: dict[str, str], said: str, headers: dict[str, str]
) -> None:
    form = form_for(site, value, until="30") | change
    answer = site.post(decide_url(value), form, headers=headers)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert "data-editor" in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_reason_may_hold_whatever_people_type(site: Client, value: CaseValue) -> None:
    reason = "Grüße\u00a0an Łódź 👩\u200d💻\nsecond line"
    site.post(decide_url(value), form_for(site, value, reason=reason.replace("\n", "\r\n")))
    assert Decision.objects.get().reason == reason


def test_nothing_typed_is_lost_when_something_is_wrong(site: Client, value: CaseValue) -> None:
    form = form_for(site, value, until="nonsense", reason="My long reason", scope="case")
    page = site.post(decide_url(value), form).content.decode()
    assert "My long reason" in page
    assert re.search(r'value="case"[^>]*checked', page)


def test_an_unknown_verdict_is_refused(site: Client, value: CaseValue) -> None:
    assert site.post(decide_url(value), form_for(site, value) | {"verdict": "maybe"}).status_code == 400


def test_a_reader_may_not_decide(reading: Client, site: Client, value: CaseValue) -> None:
    assert reading.post(decide_url(value), form_for(site, value)).status_code == 403
    assert not Decision.objects.exists()


def test_a_value_of_another_case_is_not_found(site: Client, value: CaseValue, other_case: Case) -> None:
    form = form_for(site, value)
    assert site.post(f"/cases/{other_case.pk}/values/{value.pk}/decide", form).status_code == 404


def test_a_decision_on_a_value_that_is_gone_says_so(site: Client, value: CaseValue) -> None:
    form = form_for(site, value)
    answer = site.post(decide_url(value).replace(f"/{value.pk}/", f"/{value.pk + 999}/"), form)
    assert answer.status_code == 404
    assert "This value is no longer in the case. Nothing was decided" in text_of(answer)
    assert not Decision.objects.exists()


def test_a_closed_case_offers_and_takes_no_decision(site: Client, value: CaseValue) -> None:
    form = form_for(site, value)
    Case.objects.filter(pk=value.case_id).update(state=Case.State.CLOSED)
    assert "verdict_as" not in site.get(queue_url(value.case)).content.decode()
    answer = site.post(decide_url(value), form)
    assert answer.status_code == 422
    assert "closed" in text_of(answer)


def test_the_way_back_never_leaves_the_case(site: Client, value: CaseValue) -> None:
    answer = site.post(
        decide_url(value), form_for(site, value, back="//evil.example/?x=https://evil.example")
    )
    assert answer.headers["Location"].startswith(f"/cases/{value.case_id}/?")


def test_the_editor_tells_what_it_would_touch(site: Client, value: CaseValue, rui: Person) -> None:
    other = open_case(rui, "a.exe")
    merge_and_settle(other, row("203.0.113.9", "a.example"), row("203.0.113.10", "a.example"))
    merge_and_settle(value.case, row("203.0.113.1", "a.example", file="b.exe"))
    said = text_of(site.get(queue_url(value.case, f"decide={value.pk}&verdict_as=blocked")))
    assert "Covers 2 endpoints here" in said
    assert "also 2 endpoints in 1 other case" in said
    assert "Goes to all-blocks" in said


def test_the_editor_of_an_address_counts_the_names_on_it(site: Client, case: Case) -> None:
    merge_and_settle(case, row("203.0.113.1"), row("203.0.113.1", "a.example"))
    value = value_of(case, "203.0.113.1")
    said = text_of(site.get(queue_url(case, f"decide={value.pk}&verdict_as=blocked")))
    assert "Covers 2 endpoints here" in said


def test_blocking_an_address_says_that_other_rows_changed(site: Client, case: Case) -> None:
    merge_and_settle(case, row("203.0.113.1"), row("203.0.113.1", "a.example"))
    value = value_of(case, "203.0.113.1")
    answer = site.post(decide_url(value), form_for(site, value), headers=HTMX)
    assert "1 other row on this address may have changed too." in text_of(answer)


def test_the_last_reason_is_offered(site: Client, value: CaseValue, rui: Person) -> None:
    decide_on(rui, value.case, "b.example", reason="Relay network, second wave")
    query = f"decide={value.pk}&verdict_as=blocked"
    assert "Use the last one: “Relay network, second wave”" in text_of(site.get(queue_url(value.case, query)))
    page = site.get(queue_url(value.case, f"{query}&reason=last")).content.decode()
    assert re.search(r"<textarea[^>]*>\s*Relay network, second wave</textarea>", page)


# Someone decided meanwhile


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_conflict_shows_who_what_and_when_and_keeps_what_was_typed(
    site: Client, value: CaseValue, ana: Person, headers: dict[str, str]
) -> None:
    form = form_for(site, value, "allowed", reason="Vendor CDN of the release note", scope="everywhere")
    decide_on(ana, value.case, "a.example", reason="Same addresses as the beacon")
    answer = site.post(decide_url(value), form, headers=headers)
    said = text_of(answer)
    assert answer.status_code == 409
    assert "Ana Sousa blocked this just now" in said
    assert "Same addresses as the beacon" in said
    assert "Vendor CDN of the release note" in said
    assert Decision.objects.count() == 1
    if headers:
        assert answer.headers["HX-Retarget"] == "#conflict"


def test_mine_can_be_saved_instead_after_a_conflict(site: Client, value: CaseValue, ana: Person) -> None:
    form = form_for(site, value, "allowed", scope="everywhere", reason="Vendor CDN")
    theirs = decide_on(ana, value.case, "a.example")
    page = site.post(decide_url(value), form).content.decode()
    assert "Save mine instead" in page
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    assert site.post(decide_url(value), kept).status_code == 302
    mine = Decision.objects.in_force().get()
    assert (mine.verdict, mine.reason, mine.supersedes) == ("allowed", "Vendor CDN", theirs)


def test_a_decision_taken_away_meanwhile_is_a_conflict_too(
    site: Client, value: CaseValue, rui: Person
) -> None:
    decision = decide_on(rui, value.case, "a.example", scope="case")
    form = form_for(site, value, "allowed")
    site.post(f"/cases/{value.case_id}/decisions/{decision.pk}/undo")
    answer = site.post(decide_url(value), form)
    assert answer.status_code == 409
    assert "What you saw is no longer in force" in text_of(answer)


def test_what_was_approved_is_told_as_decided_by_who_approved_it(
    site: Client, value: CaseValue, ana: Person
) -> None:
    form = form_for(site, value, "allowed", reason="Vendor CDN")
    lou = person_with(Role.ANALYST, "lou")
    theirs = decide_on(lou, value.case, "a.example")
    approve(actor=ana, proposal=theirs.proposals.get())
    said = text_of(site.post(decide_url(value), form))
    assert f"Ana Sousa blocked this just now , proposed by {lou}" in said
    assert "Keep Ana's block" in said


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_an_expiry_at_the_end_of_the_calendar_is_shown_in_every_zone(
    site: Client, value: CaseValue, ana: Person, rui: Person, zone: str
) -> None:
    form = form_for(site, value, "allowed", reason="Vendor CDN")
    theirs = decide_on(ana, value.case, "a.example")
    last = datetime.max.replace(tzinfo=UTC)
    Decision.objects.filter(pk=theirs.pk).update(expires_at=last)
    Person.objects.filter(pk=rui.pk).update(time_zone=zone)
    case = f"/cases/{value.case_id}"
    for url in ("/", "/decisions/", "/week/", f"/decisions/{theirs.pk}/", f"{case}/", f"{case}/decisions/"):
        assert site.get(url).status_code == 200, url
    assert site.get(f"{case}/report/").status_code == 200
    assert site.post(decide_url(value), form).status_code == 409


@pytest.mark.parametrize(("days", "differs"), [(0, True), (-1, False)])
def test_in_a_conflict_ends_differ_when_their_days_do_as_the_reader_is_shown_them(
    site: Client, value: CaseValue, ana: Person, rui: Person, days: int, differs: bool
) -> None:
    Person.objects.filter(pk=rui.pk).update(time_zone="Asia/Tokyo")
    day = timezone.now().astimezone(UTC) + timedelta(days=30)
    form = form_for(site, value, "allowed", reason="Vendor CDN", until_date=day.date().isoformat())
    theirs = decide_on(ana, value.case, "a.example")
    # In Tokyo four in the afternoon of UTC is the next day.
    ends = day.replace(hour=16, minute=0) + timedelta(days=days)
    Decision.objects.filter(pk=theirs.pk).update(expires_at=ends)
    page = site.post(decide_url(value), form).content.decode()
    assert re.findall(r'<tr ?(.*?)><th scope="row">Until', page) == ['class="dif"' if differs else ""]


# Undo


def test_undo_without_javascript_returns_to_the_list(site: Client, value: CaseValue, rui: Person) -> None:
    decision = decide_on(rui, value.case, "a.example")
    answer = site.post(f"/cases/{value.case_id}/decisions/{decision.pk}/undo", {"back": "q=a"})
    assert answer.headers["Location"] == f"/cases/{value.case_id}/?q=a"
    assert "Undone: a.example is undecided again" in text_of(site.get(answer.headers["Location"]))
    assert verdict_of(value.case, "a.example") == "undecided"


def test_undo_by_htmx_brings_the_row_back(site: Client, value: CaseValue, rui: Person) -> None:
    decision = decide_on(rui, value.case, "a.example")
    answer = site.post(f"/cases/{value.case_id}/decisions/{decision.pk}/undo", headers=HTMX)
    part = answer.content.decode()
    assert f'id="value-{value.pk}" class="vgroup" hx-swap-oob="outerHTML"' in part
    assert "2 of 2 undecided" in text_of(answer)


def test_undo_brings_back_what_was_superseded(
    site: Client, value: CaseValue, rui: Person, ana: Person
) -> None:
    decide_on(ana, value.case, "a.example", "allowed")
    mine = decide_on(rui, value.case, "a.example")
    site.post(f"/cases/{value.case_id}/decisions/{mine.pk}/undo")
    assert "allowed by Ana Sousa again" in text_of(site.get(queue_url(value.case)))


def test_undo_says_what_still_governs(site: Client, value: CaseValue, rui: Person, ana: Person) -> None:
    decide_on(ana, value.case, "a.example", "allowed", "everywhere")
    mine = decide_on(rui, value.case, "a.example", "blocked", "case")
    site.post(f"/cases/{value.case_id}/decisions/{mine.pk}/undo")
    shown = text_of(site.get(queue_url(value.case)))
    assert "Undone: a.example is allowed now, by another decision." in shown


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_undo_that_comes_too_late_says_why(
    site: Client, value: CaseValue, rui: Person, ana: Person, headers: dict[str, str]
) -> None:
    mine = decide_on(rui, value.case, "a.example")
    decide_on(ana, value.case, "a.example", "allowed")
    answer = site.post(f"/cases/{value.case_id}/decisions/{mine.pk}/undo", headers=headers)
    said = text_of(answer if headers else site.get(answer.headers["Location"]))
    assert "Not undone" in said
    assert verdict_of(value.case, "a.example") == "allowed"


def test_only_my_own_decision_offers_undo(site: Client, value: CaseValue, rui: Person, ana: Person) -> None:
    decide_on(ana, value.case, "a.example")
    mine = decide_on(rui, value.case, "b.example")
    page = site.get(queue_url(value.case)).content.decode()
    assert set(re.findall(r'action="/cases/\d+/decisions/(\d+)/undo"', page)) == {str(mine.pk)}


def test_what_was_decided_everywhere_in_another_case_is_undone_from_this_one(
    site: Client, value: CaseValue, rui: Person
) -> None:
    other = open_case(rui, "z.exe")
    merge_and_settle(other, row(dns="a.example", file="z.exe"))
    mine = decide_on(rui, other, "a.example")
    undo_url = f"/cases/{value.case_id}/decisions/{mine.pk}/undo"
    assert f'hx-post="{undo_url}"' in site.get(queue_url(value.case)).content.decode()
    part = site.post(undo_url, headers=HTMX).content.decode()
    assert f'id="value-{value.pk}"' in part
    assert verdict_of(value.case, "a.example") == "undecided"


def test_a_filter_that_is_none_is_refused_before_anything_is_undone(
    site: Client, value: CaseValue, rui: Person
) -> None:
    mine = decide_on(rui, value.case, "a.example")
    undo_url = f"/cases/{value.case_id}/decisions/{mine.pk}/undo"
    assert site.post(undo_url, {"back": "verdict=maybe"}, headers=HTMX).status_code == 400
    assert verdict_of(value.case, "a.example") == "blocked"


def test_a_conflict_blames_no_decision_that_was_seen(
    site: Client, value: CaseValue, rui: Person, ana: Person
) -> None:
    decide_on(ana, value.case, "a.example", "blocked")
    mine = decide_on(rui, value.case, "a.example", "allowed", scope="case")
    form = form_for(site, value, "blocked")
    site.post(f"/cases/{value.case_id}/decisions/{mine.pk}/undo")
    said = text_of(site.post(decide_url(value), form))
    assert "What you saw is no longer in force" in said
    assert "Ana Sousa blocked this" not in said
    assert "Last change" in said
