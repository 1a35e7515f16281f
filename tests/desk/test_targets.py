from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from cases.models import Case
from cases.watchlists.models import Receipt, Reconciliation, Target, Watchlist
from cases.watchlists.target_actions import NoReason, pause_target, retire_target
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.views.pages import text_of
from tests.cases.watchlists.targets.places import WHERE
from tests.cases.watchlists.worlds import allow_lab, block, publish, reconcile, target_at
from tests.cases.world import open_case
from tests.lab.server import Lab
from tests.roles import client_with

TARGETS = "/watchlists/all-blocks/targets/"
DEFENDER = {
    "title": "Tenant",
    "slug": "tenant",
    "way": "token",
    "variable": "LAB_TOKEN",
    "grace_minutes": "120",
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(token="lab") as lab:
        yield lab


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch, valkey: object) -> None:
    allow_lab(monkeypatch)


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


@pytest.fixture
def lead(db: None) -> Client:
    return client_with(Role.LEAD)


@pytest.fixture
def case(rui: Person) -> Case:
    return open_case(rui, "a.exe")


@pytest.fixture
def target(lab: Lab, blocks: Watchlist, rui: Person, case: Case) -> Target:
    """With one accepted entry, and one that cannot be said there."""
    block(rui, case, "198.51.101.7", "198.51.100.7")
    publish(blocks)
    found = target_at(lab, "defender", blocks, title="Tenant")
    reconcile(found)
    return found


def of(target: Target) -> str:
    return f"{TARGETS}{target.slug}/"


def test_a_list_that_is_pushed_nowhere_says_so(site: Client):
    assert "This list is pushed nowhere" in text_of(site.get(TARGETS))


def test_the_list_of_targets_tells_how_each_stands_and_its_budget(site: Client, target: Target):
    said = text_of(site.get(TARGETS))
    assert "Tenant Defender indicators holds what the list says 1 0 1 1 of 15,000" in said


def test_a_target_shows_its_receipts_in_the_services_words(site: Client, target: Target):
    said = text_of(site.get(of(target)))
    assert "198.51.101.7 accepted" in said
    assert "198.51.100.7 refused not a public address: Defender refuses those" in said
    assert "14,999 left of 15,000" in said


def test_receipts_are_filtered_by_state_and_subject(site: Client, target: Target):
    assert "198.51.101.7" not in text_of(site.get(f"{of(target)}?state=refused"))
    assert "198.51.100.7" not in text_of(site.get(f"{of(target)}?q=198[.]51[.]101"))
    assert "No receipt matches" in text_of(site.get(f"{of(target)}?q=nothing"))


def test_receipts_have_pages(site: Client, target: Target, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("footprint.desk.views.targets.PAGE", 1)
    first = site.get(of(target))
    oldest = Receipt.objects.earliest("pk")
    assert oldest.value not in text_of(first)
    newest = Receipt.objects.latest("pk").pk
    assert oldest.value in text_of(site.get(f"{of(target)}?before={newest}"))


def test_a_lead_adds_a_target_that_starts_paused_with_a_dry_run(lead: Client, lab: Lab, blocks: Watchlist):
    answer = lead.post(f"{TARGETS}new/defender/", {**DEFENDER, "endpoint": lab.url})
    added = Target.objects.get()
    assert answer.headers["Location"] == of(added)
    assert (added.is_paused, added.dry_run_asked_at is not None, lab.requests) == (True, True, [])
    assert Entry.objects.latest("seq").event == "watchlists:target:added"


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("alias", "a/b", "An alias has 3 to 64 letters and digits"),
        ("subscription", "contoso", "is named by its ID"),
        ("workspace", "11111111-2222/3", "the workspace&#x27;s name, not its ID".replace("&#x27;", "'")),
        ("variable", "FOOTPRINT_SECRET", "secret of another kind"),
        ("endpoint", "ftp://x.example", "address like https://"),
        ("grace_minutes", "-1", "greater than or equal to 0"),
        ("title", "", "Give it a name"),
    ],
)
def test_bad_input_is_told_at_its_field_and_nothing_typed_is_lost(
    lead: Client, blocks: Watchlist, field: str, typed: str, told: str
):
    given = {**DEFENDER, **WHERE, "title": "My tenant", field: typed}
    answer = lead.post(f"{TARGETS}new/sentinel/", given)
    assert answer.status_code == 422
    assert told in text_of(answer)
    assert 'value="tenant"' in answer.content.decode()
    assert not Target.objects.exists()


def test_a_slug_that_is_taken_is_told(lead: Client, lab: Lab, target: Target):
    given = {**DEFENDER, "slug": target.slug, "endpoint": lab.url}
    assert "There is a target called" in text_of(lead.post(f"{TARGETS}new/defender/", given))


def test_a_change_is_an_entry_of_the_ledger(lead: Client, lab: Lab, target: Target):
    given = {**DEFENDER, "title": "The tenant", "endpoint": lab.url, "seen": str(target.version)}
    assert lead.post(f"{of(target)}edit/", given).status_code == 302
    entry = Entry.objects.latest("seq")
    assert (entry.event, entry.content["after"]) == (
        "watchlists:target:changed",
        {"title": "The tenant"},
    )


def test_a_change_made_from_an_old_version_is_not_saved_over_the_other_one(
    lead: Client, lab: Lab, target: Target
):
    given = {**DEFENDER, "title": "Mine", "endpoint": lab.url, "seen": "99"}
    answer = lead.post(f"{of(target)}edit/", given)
    assert answer.status_code == 422
    assert "somebody changed this target meanwhile" in text_of(answer)
    assert 'value="Mine"' in answer.content.decode()


@pytest.mark.parametrize("act", ["pause", "retire"])
def test_stopping_needs_a_reason(lead: Client, target: Target, act: str):
    answer = lead.post(f"{of(target)}act", {"act": act, "why": " "})
    assert answer.status_code == 422
    assert "Say why." in text_of(answer)


def test_a_target_is_paused_and_resumed(lead: Client, target: Target):
    lead.post(f"{of(target)}act", {"act": "pause", "why": "Moving house"})
    assert "Moving house" in text_of(lead.get(of(target)))
    lead.post(f"{of(target)}act", {"act": "resume"})
    target.refresh_from_db()
    assert not target.is_paused


def test_a_dry_run_shows_its_plan(lead: Client, target: Target):
    lead.post(f"{of(target)}act", {"act": "dry-run"})
    look = reconcile(target)
    assert look.is_dry_run
    said = text_of(lead.get(f"{of(target)}looks/{look.pk}/"))
    assert "dry run" in said
    assert "refuse address 198.51.100.7" in said


def test_trouble_is_told_with_when_it_is_tried_again(site: Client, target: Target):
    Target.objects.update(
        stand="trouble",
        trouble="Defender does not permit this.",
        trouble_since=target.made_at,
        not_before=target.made_at,
    )
    said = text_of(site.get(of(target)))
    assert "Defender does not permit this." in said
    assert "It is tried again at" in said
    assert "Targets in trouble" in text_of(client_with(Role.LEAD).get("/"))


def test_what_a_format_cannot_say_is_told(site: Client, blocks: Watchlist, rui: Person, case: Case):
    block(rui, case, "a.example", "198.51.100.7")
    publish(blocks)
    said = text_of(site.get("/watchlists/all-blocks/left-out/defender-csv/"))
    assert "left out 1 not a public address: Defender refuses those 198.51.100.7" in said
    assert "It says every entry" in text_of(site.get("/watchlists/all-blocks/left-out/json/"))


@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST, Role.REVIEWER, Role.AUDITOR])
def test_only_leads_act(target: Target, role: Role):
    client = client_with(role)
    assert client.get(of(target)).status_code == 200
    for address in (f"{TARGETS}new/defender/", f"{of(target)}edit/"):
        assert client.get(address).status_code == 403
    assert client.post(f"{of(target)}act", {"act": "retire", "why": "x"}).status_code == 403


def test_more_targets_need_no_more_questions(site: Client, lab: Lab, target: Target, blocks: Watchlist):
    target_at(lab, "sentinel", blocks, options={"alias": "list-1"})
    with CaptureQueriesContext(connection) as few:
        site.get(TARGETS)
    for number in range(2, 5):
        target_at(lab, "sentinel", blocks, options={"alias": f"list-{number}"})
    with CaptureQueriesContext(connection) as many:
        site.get(TARGETS)
    assert len(many) == len(few)


@pytest.mark.parametrize("act", [pause_target, retire_target])
def test_no_action_stops_a_target_without_a_reason(target: Target, rui: Person, act: Any):
    with pytest.raises(NoReason):
        act(actor=rui, target=target, because=" ")


def test_the_pages_ask_a_fixed_number_of_questions(
    site: Client,
    lab: Lab,
    target: Target,
    blocks: Watchlist,
    django_assert_max_num_queries: DjangoAssertNumQueries,
):
    for _ in range(3):
        reconcile(target_at(lab, "sentinel", blocks, options={"alias": f"list-{Target.objects.count()}"}))
    site.get(TARGETS)
    with django_assert_max_num_queries(16):
        site.get(TARGETS)
    with django_assert_max_num_queries(16):
        site.get(of(target))


def test_commands_add_and_reconcile_a_target(
    lab: Lab, blocks: Watchlist, rui: Person, case: Case, capsys: pytest.CaptureFixture[str]
):
    block(rui, case, "198.51.101.7")
    publish(blocks)
    call_command(
        "add_target",
        "tenant",
        kind="defender",
        watchlist="all-blocks",
        endpoint=lab.url,
        credential="token:LAB_TOKEN",
    )
    call_command("reconcile_target", "tenant", dry_run=True)
    said = capsys.readouterr().out
    assert "add      'IpAddress 198.51.101.7'" in said
    assert lab.defender.indicators == {}
    with pytest.raises(CommandError, match="paused"):
        call_command("reconcile_target", "tenant")
    Target.objects.update(paused_at=None)
    call_command("reconcile_target", "tenant")
    assert lab.defender.values() == ["198.51.101.7"]
    assert Reconciliation.objects.first() is not None


def test_a_command_names_the_option_that_is_wrong(blocks: Watchlist):
    with pytest.raises(CommandError, match="--alias: Give the alias"):
        call_command(
            "add_target",
            "x",
            kind="sentinel",
            watchlist="all-blocks",
            **{name: text for name, text in WHERE.items() if name != "alias"},
        )
