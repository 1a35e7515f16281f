from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.case_actions import CaseFacts, assign, edit_case
from cases.models import Case
from cases.state_actions import change_state
from footprint.accounts.models import Person, Role
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, row
from tests.roles import client_with


def form_of(case: Case, **changes: str) -> dict[str, str]:
    return {
        "title": case.title,
        "why": case.why,
        "severity": str(case.severity),
        "tlp": case.tlp,
        "owner": str(case.owner_id),
        "assignee": str(case.assignee_id or ""),
        "tags": ", ".join(case.tags),
        "version": str(case.version),
        **changes,
    }


def edit_url(case: Case) -> str:
    return f"/cases/{case.pk}/edit/"


def state_url(case: Case) -> str:
    return f"/cases/{case.pk}/state/"


def test_what_is_edited_stands_in_the_head(site: Client, case: Case, ana: Person) -> None:
    given = form_of(case, severity="4", tlp="amber+strict", tags="Blue fox, beta", assignee=str(ana.pk))
    said = text_of(site.post(edit_url(case), given, follow=True))
    for known in ("Severity critical", "TLP:AMBER+STRICT", "blue fox", "beta", "Ana Sousa", "is saved"):
        assert known in said


def test_a_tag_leads_to_the_cases_that_have_it(site: Client, case: Case) -> None:
    site.post(edit_url(case), form_of(case, tags="a&b c"))
    page = site.get(f"/cases/{case.pk}/").content.decode()
    assert 'href="/cases/?state=all&amp;tag=a%26b%20c"' in page
    assert f"/cases/{case.pk}/" in site.get("/cases/?state=all&tag=a%26b%20c").content.decode()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("title", " ", "Give the case a title."),
        ("title", "a\u202eb", "nobody can see"),
        ("severity", "9", "9 is not one of the available choices"),
        ("tlp", "blue", "blue is not one"),
        ("tags", "x" * 41, "A tag has at most 40 characters"),
        ("owner", "0", "0 is not one"),
        ("why", "y" * 10_001, "at most 10,000 characters"),
    ],
)
def test_a_mistake_is_told_and_nothing_typed_is_lost(
    site: Client, case: Case, field: str, typed: str, said: str
) -> None:
    answer = site.post(edit_url(case), form_of(case, **{"why": "My words", field: typed}))
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert field == "why" or "My words" in answer.content.decode()
    assert Case.objects.get(pk=case.pk).why == ""


def test_a_colleagues_save_is_shown_beside_what_was_typed(site: Client, case: Case, ana: Person) -> None:
    mine = form_of(case, why="My words", title="My title")
    facts = CaseFacts.of(case)
    edit_case(
        actor=ana,
        case=case,
        version=case.version,
        facts=CaseFacts(facts.title, "Her words", ana, None, 3, "", ()),
    )
    answer = site.post(edit_url(case), mine)
    said = text_of(answer)
    assert answer.status_code == 409
    assert "Ana Sousa changed this case" in said
    assert "Ana Sousa saved Her words" in said
    assert "Ana Sousa saved high" in said
    assert "My words" in answer.content.decode()
    assert 'value="My title"' in answer.content.decode()
    assert Case.objects.get(pk=case.pk).why == "Her words"


def test_saving_again_after_a_conflict_keeps_mine(site: Client, case: Case, ana: Person) -> None:
    mine = form_of(case, why="My words")
    assign(actor=ana, case=case, version=case.version, assignee=ana)
    page = site.post(edit_url(case), mine).content.decode()
    assert 'name="version" value="2"' in page
    assert site.post(edit_url(case), {**mine, "version": "2"}).status_code == 302
    assert Case.objects.get(pk=case.pk).why == "My words"


def test_assign_to_me_returns_to_the_tab_it_was_pressed_on(site: Client, case: Case, rui: Person) -> None:
    back = f"/cases/{case.pk}/decisions/"
    answer = site.post(f"/cases/{case.pk}/assign", {"version": case.version, "back": back})
    assert answer.headers["Location"] == back
    assert Case.objects.get(pk=case.pk).assignee == rui
    assert "Assign to me" not in text_of(site.get(back))


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/ledger/", ""])
def test_assign_leads_nowhere_else(site: Client, case: Case, back: str) -> None:
    answer = site.post(f"/cases/{case.pk}/assign", {"version": case.version, "back": back})
    assert answer.headers["Location"] == f"/cases/{case.pk}/"


def test_who_took_the_case_first_has_it(site: Client, case: Case, ana: Person) -> None:
    assign(actor=ana, case=case, version=case.version, assignee=ana)
    said = text_of(site.post(f"/cases/{case.pk}/assign", {"version": "1"}, follow=True))
    assert "Ana Sousa changed the case meanwhile; it is assigned to Ana Sousa." in said


def test_the_state_page_tells_what_stays_in_force(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example")
    said = text_of(site.get(f"{state_url(case)}?to=closed"))
    assert "1 value is undecided: closing needs a reason." in said
    assert "1 block everywhere stays in force." in said


def test_closing_without_a_reason_is_asked_again_and_then_done(site: Client, case: Case, rui: Person) -> None:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example")
    given = {"state": "closed", "reason": "", "version": str(case.version)}
    answer = site.post(state_url(case), given)
    assert answer.status_code == 422
    assert "say why the case is closed all the same" in text_of(answer)
    said = text_of(site.post(state_url(case), {**given, "reason": "Same as case 3"}, follow=True))
    assert f"Case {case.pk} is closed. 1 block everywhere stays in force." in said
    assert "Closed by Rui Alves: Same as case 3" in said


def test_a_reason_survives_a_colleagues_change(site: Client, case: Case, ana: Person) -> None:
    change_state(actor=ana, case=case, version=case.version, state="watching", reason="")
    answer = site.post(state_url(case), {"state": "closed", "reason": "My words", "version": "1"})
    assert answer.status_code == 409
    assert "Ana Sousa changed this case" in text_of(answer)
    assert "it is watching now" in text_of(answer)
    assert "My words" in answer.content.decode()
    assert 'name="version" value="2"' in answer.content.decode()


def test_a_closed_case_offers_no_run_and_says_so_where_runs_are(site: Client, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(state="closed")
    said = text_of(site.get(f"/cases/{case.pk}/"))
    assert "Run now" not in said
    assert "Reopen" in said


@pytest.mark.parametrize("path", ["edit/", "state/"])
@pytest.mark.parametrize("role", [Role.READER, Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_change_nothing(case: Case, role: Role, path: str) -> None:
    client = client_with(role)
    assert client.get(f"/cases/{case.pk}/{path}").status_code == 403
    assert "Assign to me" not in text_of(client.get(f"/cases/{case.pk}/"))
    assert client.post(f"/cases/{case.pk}/assign", {"version": case.version}).status_code == 403


@pytest.mark.parametrize("path", ["edit/", "state/"])
def test_the_pages_cost_a_fixed_number_of_questions(
    site: Client, case: Case, django_assert_max_num_queries: DjangoAssertNumQueries, path: str
) -> None:
    with django_assert_max_num_queries(10):
        site.get(f"/cases/{case.pk}/{path}")


def test_a_case_that_is_not_there_is_not_found(site: Client) -> None:
    assert site.get("/cases/999999/edit/").status_code == 404
