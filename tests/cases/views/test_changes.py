"""What a reader's screen learns of what others did."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.bases import basis_of
from cases.merging import settle_unsettled
from cases.models import Case, CaseValue, Decision, Endpoint, Proposal, Resettling
from cases.proposal_actions import approve, reject
from cases.settling import resettle
from cases.verdicts.settle import take_verdict_lock
from cases.views.changes import Screen
from footprint.accounts.models import Person, Role
from tests.cases.verdicts.test_settle import put
from tests.cases.views.pages import HTMX, queue_url, text_of
from tests.cases.world import decide_on, merge_and_settle, merge_only, row, value_of
from tests.roles import person_with


def rows_on(site: Client, case: Case) -> dict[int, str]:
    """The rows of the queue as a browser would name them."""
    page = site.get(queue_url(case)).content.decode()
    found = re.findall(r'data-row="(\d+)"\s+data-version="([^"]+)"', page)
    return {int(pk): version for pk, version in found}


def ask(site: Client, case: Case, rows: dict[int, str], etag: str = "", **more: object) -> Any:
    parameters = {
        "rows": "_".join(f"{pk}-{version}" for pk, version in rows.items()),
        "values": str(len(rows)),
        "drawn": "1",
        **{name: str(value) for name, value in more.items()},
    }
    headers = HTMX | ({"If-None-Match": etag} if etag else {})
    return site.get(f"/cases/{case.pk}/changes", parameters, headers=headers)


@pytest.fixture
def rows(site: Client, case: Case) -> dict[int, str]:
    merge_and_settle(case, *(row(f"203.0.113.{number}", f"n{number}.example") for number in range(3)))
    return rows_on(site, case)


def test_nothing_new_is_no_content_and_then_not_modified(
    site: Client, case: Case, rows: dict[int, str]
) -> None:
    first = ask(site, case, rows)
    assert first.status_code == 204
    assert ask(site, case, rows, first.headers["ETag"]).status_code == 304


def test_a_colleagues_decision_arrives_as_the_row_it_changed(
    site: Client, case: Case, rows: dict[int, str], ana: Person
) -> None:
    etag = ask(site, case, rows).headers["ETag"]
    decide_on(ana, case, "n1.example")
    answer = ask(site, case, rows, etag)
    pk = value_of(case, "n1.example").pk
    assert answer.status_code == 200
    assert "1 row changed : Ana Sousa decided 1." in text_of(answer)
    assert re.findall(r'id="value-(\d+)" class="vgroup is-changed" hx-swap-oob', answer.content.decode()) == [
        str(pk)
    ]
    assert str(pk) in answer.headers["HX-Trigger-After-Settle"]


def test_a_decision_that_changes_no_verdict_is_a_change_too(
    site: Client, case: Case, rows: dict[int, str], ana: Person
) -> None:
    decide_on(ana, case, "n1.example", "allowed", scope="case")
    before = rows_on(site, case)
    decide_on(ana, case, "n1.example", "blocked", scope="everywhere")
    assert "1 row changed" in text_of(ask(site, case, before))


def test_a_row_that_is_open_is_never_replaced(
    site: Client, case: Case, rows: dict[int, str], ana: Person
) -> None:
    pk, basis = value_of(case, "n1.example").pk, basis_of(case, "n1.example")
    decide_on(ana, case, "n1.example", reason="Same addresses as the beacon")
    answer = ask(site, case, rows, open=pk, editing=pk, basis=basis)
    page = answer.content.decode()
    assert f'id="value-{pk}"' not in page
    assert f'id="meanwhile-{pk}" hx-swap-oob="innerHTML"' in page
    assert "Ana Sousa decided this meanwhile: block of n1.example, everywhere" in text_of(answer)


def test_a_proposal_under_an_open_editor_is_told_too(
    site: Client, case: Case, rows: dict[int, str], ana: Person
) -> None:
    pk, basis = value_of(case, "n1.example").pk, basis_of(case, "n1.example")
    made = decide_on(ana, case, "n1.example")
    Decision.objects.filter(pk=made.pk).update(state="proposed")
    answer = ask(site, case, rows, open=pk, editing=pk, basis=basis)
    assert "Ana Sousa proposed meanwhile: block of n1.example, everywhere" in text_of(answer)


def test_new_evidence_under_an_open_editor_is_told_as_that(
    site: Client, case: Case, rows: dict[int, str]
) -> None:
    pk = value_of(case, "n1.example").pk
    merge_and_settle(case, row("203.0.113.77", "n1.example"))
    answer = ask(site, case, rows, open=pk, editing=pk, basis="")
    assert "The numbers of this row changed meanwhile" in text_of(answer)


def test_a_basis_of_many_decisions_is_read_whole() -> None:
    basis = ",".join(map(str, range(1_000_000, 1_000_100)))
    assert Screen.read(QueryDict(f"basis={basis}")).basis == basis


def test_new_values_are_counted_and_not_put_in(site: Client, case: Case, rows: dict[int, str]) -> None:
    merge_and_settle(case, row(dns="new1.example"), row(dns="new2.example"))
    answer = ask(site, case, rows)
    assert "2 new values came in." in text_of(answer)
    assert "data-row" not in answer.content.decode()


def test_what_was_told_stays_told_until_it_is_seen(
    site: Client, case: Case, rows: dict[int, str], ana: Person
) -> None:
    decide_on(ana, case, "n1.example")
    first = value_of(case, "n1.example").pk
    rows = rows_on(site, case)
    decide_on(ana, case, "n2.example")
    assert "2 rows changed : Ana Sousa decided 2." in text_of(ask(site, case, rows, told=first))


def test_a_closed_case_ends_the_polling(site: Client, case: Case, rows: dict[int, str]) -> None:
    Case.objects.filter(pk=case.pk).update(state="archived")
    assert ask(site, case, rows).status_code == 286


def test_rows_of_another_case_are_none_of_this_one(
    site: Client, case: Case, other_case: Case, rows: dict[int, str], ana: Person
) -> None:
    merge_and_settle(other_case, row(dns="b.example"))
    foreign = value_of(other_case, "b.example")
    decide_on(ana, other_case, "b.example")
    assert ask(site, case, {foreign.pk: "0.0"}, values=3).status_code == 204


@pytest.mark.parametrize(
    "query", ["rows=x", "rows=1-2_y-3", "told=-1", "values=none", "open=1e3", "rows=" + "1-1_" * 500]
)
def test_a_made_up_list_of_rows_is_refused(site: Client, case: Case, query: str) -> None:
    assert site.get(f"/cases/{case.pk}/changes?{query}", headers=HTMX).status_code == 400


def test_an_unknown_case_is_not_found(site: Client, case: Case) -> None:
    assert site.get("/cases/999999/changes", headers=HTMX).status_code == 404


def test_a_poll_is_one_question(
    site: Client, case: Case, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(50)))
    rows = rows_on(site, case)
    etag = ask(site, case, rows).headers["ETag"]
    # The session, the person, and the one.
    with django_assert_num_queries(3):
        assert ask(site, case, rows, etag).status_code == 304


def test_many_changes_cost_as_many_questions_as_one(
    site: Client, case: Case, ana: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(20)))
    rows = rows_on(site, case)
    for number in range(20):
        decide_on(ana, case, f"n{number}.example")
    with django_assert_max_num_queries(15):
        answer = ask(site, case, rows)
    assert answer.content.decode().count("hx-swap-oob") == CaseValue.objects.filter(case=case).count()


def test_a_row_is_sent_again_when_its_endpoints_are_settled_and_still_undecided(
    site: Client, case: Case, rows: dict[int, str]
) -> None:
    merge_only(case, row("203.0.113.77", "n1.example"))
    before = rows_on(site, case)
    settle_unsettled(case.pk)
    page = ask(site, case, before).content.decode()
    assert f'data-row="{value_of(case, "n1.example").pk}"' in page
    assert "settling" not in page


def test_a_row_is_sent_again_when_its_endpoints_are_put_off(
    site: Client, case: Case, rows: dict[int, str]
) -> None:
    endpoint = Endpoint.objects.get(case=case, value="n1.example")
    Resettling.objects.create(endpoint=endpoint, case=case, value=endpoint.value)
    assert "settling" in ask(site, case, rows).content.decode()


def test_a_row_is_sent_again_when_another_decision_gives_the_same_verdict(
    site: Client, case: Case, rui: Person, ana: Person
) -> None:
    merge_and_settle(case, row("203.0.113.1", "a.corp.example"))
    first = put(rui, case, "*.corp.example")
    take_verdict_lock()
    resettle([first])
    before = rows_on(site, case)
    Decision.objects.filter(pk=first.pk).update(state="superseded")
    second = put(ana, case, "*.corp.example")
    resettle([first, second])
    assert "Ana Sousa decided 1." in text_of(ask(site, case, before))


def test_who_approved_is_named_and_not_who_proposed(
    site: Client, case: Case, rows: dict[int, str], rui: Person, ana: Person
) -> None:
    mine = decide_on(rui, case, "n1.example", subject="*.n1.example", scope="case")
    theirs = decide_on(ana, case, "n2.example", subject="*.n2.example", scope="case")
    approve(actor=ana, proposal=mine.proposals.get())
    approve(actor=rui, proposal=theirs.proposals.get())
    said = text_of(ask(site, case, rows))
    assert "Ana Sousa decided 1." in said
    assert "Rui Alves decided" not in said


def test_nobody_is_named_for_what_a_run_brought_under_an_older_decision(
    site: Client, case: Case, ana: Person
) -> None:
    merge_and_settle(case, row("203.0.113.1", "a.example"))
    decide_on(ana, case, "a.example")
    page = site.get(queue_url(case)).content.decode()
    drawn = re.search(r"drawn=(\d+)", page)
    assert drawn is not None
    before = rows_on(site, case)
    merge_and_settle(case, row("203.0.113.2", "a.example"))
    said = text_of(ask(site, case, before, drawn=drawn[1]))
    assert "1 row changed ." in said
    assert "decided" not in said


@pytest.mark.parametrize("scope", ["everywhere", "case"])
def test_what_is_proposed_around_a_row_arrives_and_goes_again(
    site: Client, case: Case, rows: dict[int, str], ana: Person, scope: str
) -> None:
    decide_on(ana, case, "n1.example", "blocked", scope, subject="*.n1.example")
    answer = ask(site, case, rows)
    pk = value_of(case, "n1.example").pk
    assert re.findall(r'id="value-(\d+)" class="vgroup is-changed"', answer.content.decode()) == [str(pk)]
    assert 'class="waits"' in answer.content.decode()
    now = rows_on(site, case)
    assert ask(site, case, now).status_code == 204
    reject(actor=person_with(Role.LEAD, "lea"), proposal=Proposal.objects.get(), reason="Too wide")
    assert "1 row changed" in text_of(ask(site, case, now))
