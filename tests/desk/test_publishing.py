from __future__ import annotations

import re

import pytest
from django.test import Client

from cases.models import Case
from cases.watchlists.models import Consumer, Publication, Publishing, Watchlist
from footprint.accounts.models import Person, Role
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import client_with

BLOCKS = "/watchlists/all-blocks/"


@pytest.fixture
def case(rui: Person) -> Case:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example", reason="Command channel")
    return case


@pytest.fixture
def lead(db: None) -> Client:
    return client_with(Role.LEAD)


def test_a_lead_publishes_at_once_and_sees_what_changed(lead: Client, case: Case) -> None:
    said = text_of(lead.post(f"{BLOCKS}publish", follow=True))
    assert "1 against 0" in said
    assert "1 added, 0 removed" in said
    assert "a.example Command channel" in said


def test_roll_back_is_a_new_version_and_pauses_the_list(lead: Client, case: Case, rui: Person) -> None:
    lead.post(f"{BLOCKS}publish")
    decide_on(rui, case, "b.example")
    lead.post(f"{BLOCKS}publish")
    said = text_of(lead.post(f"{BLOCKS}roll-back", {"number": "1", "why": "A mistake"}, follow=True))
    assert "This list is paused. Rolled back to version 1." in said
    assert Publication.objects.published().values_list("number", flat=True)[0] == 3
    lead.post(f"{BLOCKS}resume")
    assert Watchlist.objects.get(slug="all-blocks").paused_why == ""


def test_a_rule_is_counted_before_it_is_saved(lead: Client, case: Case) -> None:
    lead.post(f"{BLOCKS}publish")
    told = {"title": "All blocks", "kinds": ["address"], "scopes": ["everywhere"], "cases": ""}
    said = text_of(lead.post(f"{BLOCKS}rule/", told))
    assert "Counted just now, nothing saved" in said
    assert "0 added, 1 removed" in said
    assert "name" in Watchlist.objects.get(slug="all-blocks").subject_kinds
    lead.post(f"{BLOCKS}rule/", {**told, "save": "1"})
    assert Watchlist.objects.get(slug="all-blocks").subject_kinds == ["address"]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"cases": "x"}, "Write case numbers"),
        ({"cases": "999999"}, "There is no case 999999"),
        ({"scopes": ["everywhere", "case"], "save": "1"}, "Name the cases"),
        ({"kinds": [], "save": "1"}, "Choose at least one kind"),
        ({"title": ""}, "required"),
    ],
)
def test_a_bad_rule_is_told_at_its_field(lead: Client, told: dict[str, object], says: str) -> None:
    given = {"title": "T", "kinds": ["name"], "scopes": ["everywhere"], "cases": ""} | told
    answer = lead.post(f"{BLOCKS}rule/", given)
    assert answer.status_code == 422
    assert says in text_of(answer)


def test_a_token_is_shown_once(lead: Client, case: Case) -> None:
    told = {"act": "add", "name": "fw-lisbon", "format": "pan-os-ip"}
    page = lead.post(f"{BLOCKS}consumers", told).content.decode()
    (token,) = re.findall(r"fp_feed_[\w-]{43}", page)
    again = lead.get(f"{BLOCKS}feeds/").content.decode()
    assert "fw-lisbon" in again
    assert token not in again
    assert f"…{token[-4:]}" in again


def test_a_consumer_that_is_there_already_keeps_what_was_typed(lead: Client) -> None:
    told = {"act": "add", "name": "fw-lisbon", "format": "rpz"}
    lead.post(f"{BLOCKS}consumers", told)
    answer = lead.post(f"{BLOCKS}consumers", told)
    assert answer.status_code == 422
    assert "There is a consumer fw-lisbon already." in text_of(answer)
    assert '<option value="rpz" selected>' in answer.content.decode()


def test_a_revoked_consumer_leaves_the_page(lead: Client) -> None:
    lead.post(f"{BLOCKS}consumers", {"act": "add", "name": "fw-lisbon", "format": "rpz"})
    consumer = Consumer.objects.get()
    lead.post(f"{BLOCKS}consumers", {"act": "revoke", "consumer": str(consumer.pk)})
    assert "Nobody fetches this list yet" in text_of(lead.get(f"{BLOCKS}feeds/"))


def test_the_switch_asks_why_and_tells_everybody(lead: Client, site: Client) -> None:
    lead.post("/watchlists/publishing", {"act": "pause", "why": ""})
    assert Publishing.objects.get().paused_at is None
    lead.post("/watchlists/publishing", {"act": "pause", "why": "Firewall migration"})
    assert "All publishing is paused" in text_of(site.get("/watchlists/"))
    assert "Firewall migration" in text_of(site.get(BLOCKS))
    lead.post("/watchlists/publishing", {"act": "resume"})
    assert "paused" not in text_of(site.get("/watchlists/"))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.LEAD])
@pytest.mark.parametrize("act", ["publish", "roll-back", "resume", "held/1", "consumers", "rule/"])
def test_only_leads_change_watchlists(role: Role, act: str, db: None) -> None:
    assert client_with(role).post(BLOCKS + act).status_code == 403


@pytest.mark.parametrize("page", ["versions/", "feeds/"])
def test_every_role_may_look(site: Client, case: Case, page: str) -> None:
    assert site.get(BLOCKS + page).status_code == 200
