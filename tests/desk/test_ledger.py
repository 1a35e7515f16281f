from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases.models import Decision
from footprint.accounts.models import Person, Role
from footprint.ledger.events import Event
from footprint.ledger.models import Entry
from footprint.ledger.record import ORIGIN, Actor, Origin, Subject, change
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import client_with

PAGE = 50


def add(subject: str = "block of a.example", *, case: int | None = None, **told: object) -> Entry:
    """An entry about a decision."""
    with change(actor=Actor("person", "7", "Rui")) as ledger:
        ledger.add(Event.DECISION_MADE, Subject("decision", "12", subject), case_number=case, **told)  # type: ignore[arg-type]  # parts of an entry
    return Entry.objects.latest("seq")


def seqs_on(page: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'<tr id="e(\d+)"', page)]


def test_the_newest_entry_comes_first_and_is_open(site: Client) -> None:
    first, second = add("one"), add("two")
    page = site.get("/ledger/").content.decode()
    assert seqs_on(page)[:2] == [second.seq, first.seq]
    assert f'id="e{second.seq}" aria-current="true"' in page
    assert bytes(second.hash).hex() in page
    assert bytes(first.hash).hex() in page


def test_an_entry_shows_who_what_why_and_where_from(site: Client) -> None:
    token = ORIGIN.set(Origin("01JD7Y3V8Q2M", "2001:db8:40::21"))
    entry = add(reason="Hosts are new", before={"state": "in force"}, after={"state": "withdrawn"}, case=4)
    ORIGIN.reset(token)
    said = text_of(site.get(f"/ledger/{entry.seq}/"))
    for words in ("Rui decided", "block of a.example", "cases:decision:made", "Hosts are new", "case 4"):
        assert words in said
    assert "removed: in force added: withdrawn" in said
    assert "01JD7Y3V8Q2M" in said
    assert "2001:db8:40::21" in said


def test_the_time_of_an_entry_stands_in_both_zones(site: Client, rui: Person) -> None:
    Person.objects.filter(pk=rui.pk).update(time_zone="Asia/Kolkata")
    entry = add()
    said = text_of(site.get(f"/ledger/{entry.seq}/"))
    assert re.search(
        r"Time \d+ \w+ \d{4} \d\d:\d\d:\d\d\.\d{3} (\d+ \w+ \d{4} )?\d\d:\d\d:\d\d\.\d{3} UTC", said
    )


def test_entries_stand_under_the_day_of_the_reader(site: Client) -> None:
    add()
    assert re.search(r"Today, \w+day \d+ \w+ \d{4}", text_of(site.get("/ledger/")))


def test_the_pages_together_show_every_entry_once(site: Client) -> None:
    for number in range(PAGE + 20):
        add(f"subject {number}")
    page = site.get("/ledger/").content.decode()
    older = re.search(r'href="(/ledger/\?before=\d+)" rel="next"', page)
    assert older is not None
    rest = site.get(older[1]).content.decode()
    assert 'rel="next"' not in rest
    assert seqs_on(page) + seqs_on(rest) == list(Entry.objects.values_list("seq", flat=True))


def test_an_entry_of_an_older_page_opens_beside_that_page(site: Client) -> None:
    for number in range(PAGE + 20):
        add(f"subject {number}")
    seq = Entry.objects.earliest("seq").seq
    page = site.get(f"/ledger/{seq}/?before={seq + 5}").content.decode()
    assert seqs_on(page)[0] == seq + 4
    assert f'id="e{seq}" aria-current="true"' in page


def test_one_case_is_shown_alone(site: Client) -> None:
    mine = add(case=3)
    add(case=33)
    page = site.get("/ledger/?case=3")
    assert seqs_on(page.content.decode()) == [mine.seq]
    assert "1 entry matches" in text_of(page)


def test_one_subject_is_shown_alone(site: Client) -> None:
    entry = add()
    page = site.get(f"/ledger/{entry.seq}/").content.decode()
    link = re.search(r'href="(/ledger/\?subject=[^"]+)"', page)
    assert link is not None
    assert seqs_on(site.get(link[1]).content.decode()) == [entry.seq]


def test_a_subject_is_found_by_a_part_of_its_text(site: Client) -> None:
    found = add("block of cdn.contoso-update.example")
    add("block of 198.51.100.77")
    assert seqs_on(site.get("/ledger/?q=CONTOSO").content.decode()) == [found.seq]


def test_filters_are_kept_from_page_to_page_and_can_be_dropped_one_by_one(site: Client) -> None:
    for number in range(PAGE + 1):
        add(f"subject {number}", case=3)
    page = site.get("/ledger/?case=3&q=subject").content.decode()
    assert re.search(r'href="/ledger/\?case=3&amp;q=subject&amp;before=\d+" rel="next"', page)
    assert 'href="/ledger/?q=subject"' in page
    assert 'href="/ledger/?case=3"' in page


def test_filtered_to_nothing_says_so(site: Client) -> None:
    add()
    assert "No entry matches" in text_of(site.get("/ledger/?q=nothing+has+this"))


def test_what_was_decided_can_be_read_with_its_case(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"))
    decide_on(rui, case, "a.example", reason="Seen in the beacon report")
    said = text_of(site.get(f"/ledger/?case={case.pk}"))
    assert "Seen in the beacon report" in said
    assert "decided" in said


def test_html_in_an_entry_is_text(site: Client) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    entry = add(nasty, reason=nasty, before={"a": nasty}, after={"a": nasty, nasty: 1})
    assert "<img" not in site.get(f"/ledger/{entry.seq}/").content.decode()


def test_the_entry_is_copied_as_it_was_hashed(site: Client) -> None:
    entry = add(reason='He said "no"')
    html = site.get(f"/ledger/{entry.seq}/").content.decode()
    assert entry.text.replace("&", "&amp;").replace('"', "&quot;") in html


@pytest.mark.parametrize("query", ["before=x", "case=-1", "before=²", "case=" + "9" * 30])
def test_a_made_up_number_is_refused(site: Client, query: str) -> None:
    assert site.get(f"/ledger/?{query}").status_code == 400


@pytest.mark.parametrize("seq", ["0", "999999", "9" * 30])
def test_an_entry_that_is_not_there(site: Client, seq: str) -> None:
    add()
    assert site.get(f"/ledger/{seq}/").status_code == 404


@pytest.mark.parametrize("query", ["q=%00", "subject=%00:x", "subject=decision"])
def test_odd_filters_find_what_they_say(site: Client, query: str) -> None:
    add()
    assert site.get(f"/ledger/?{query}").status_code == 200


def test_the_ledger_is_read_only(site: Client) -> None:
    entry = add()
    assert site.post("/ledger/").status_code == 405
    assert site.post(f"/ledger/{entry.seq}/").status_code == 405


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_read_it(role: Role, db: None) -> None:
    assert client_with(role).get("/ledger/").status_code == 200


def test_the_page_costs_the_same_for_many_entries(
    site: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(PAGE + 5):
        add(f"subject {number}")
    with django_assert_max_num_queries(7):
        site.get("/ledger/")


def test_one_person_is_shown_alone(site: Client) -> None:
    mine = add()
    with change(actor=Actor.clock("expire_decisions")) as ledger:
        ledger.add(Event.DECISION_EXPIRED, Subject("decision", "12", "block of a.example"))
    assert seqs_on(site.get("/ledger/?who=person:7").content.decode()) == [mine.seq]
    assert seqs_on(site.get("/ledger/?who=clock").content.decode()) == [mine.seq + 1]


def test_one_event_is_shown_alone(site: Client) -> None:
    mine = add()
    with change(actor=Actor.command("tests")) as ledger:
        ledger.add(Event.CASE_OPENED, Subject("case", "3", "a case"))
    page = site.get("/ledger/?what=cases:decision:made").content.decode()
    assert seqs_on(page) == [mine.seq]
    assert '<option value="cases:decision:made" selected>' in page


def test_a_range_of_days_is_of_the_reader(site: Client, rui: Person) -> None:
    entry = add()
    today = timezone.now().date()
    Person.objects.filter(pk=rui.pk).update(time_zone="UTC")
    assert seqs_on(site.get(f"/ledger/?since={today}&until={today}").content.decode())[0] == entry.seq
    for query in (f"since={today + timedelta(days=2)}", f"until={today - timedelta(days=2)}"):
        assert "No entry matches" in text_of(site.get(f"/ledger/?{query}"))


@pytest.mark.parametrize("query", ["since=x", "until=2026-13-01", "since=0001-01-01", "until=9999-12-31"])
def test_a_made_up_day_is_refused(site: Client, query: str) -> None:
    assert site.get(f"/ledger/?{query}").status_code == 400


def test_a_case_and_a_value_show_their_own_entries(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "b.example")
    of_case = text_of(site.get(f"/cases/{case.pk}/decisions/"))
    assert "Rui Alves decided : block of a.example" in of_case.replace("decided:", "decided :")
    value = case.values.get(value="a.example")
    of_value = text_of(site.get(f"/cases/{case.pk}/values/{value.pk}/")).partition("In the ledger")[2]
    assert "block of a.example" in of_value
    assert "block of b.example" not in of_value


def test_a_decision_shows_its_own_entries(site: Client, rui: Person) -> None:
    case = open_case(rui, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "b.example")
    decision = Decision.objects.get(subject="a.example")
    said = text_of(site.get(f"/decisions/{decision.pk}/")).partition("In the ledger")[2]
    assert "Rui Alves decided" in said
    assert "block of b.example" not in said
