"""The pages of a bulk decision: the bar, the draft, the progress, the answer of a second person."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases.batches.actions import confirm, stop
from cases.batches.claims import claim
from cases.batches.deciding import decide_step
from cases.batches.pace import Pace
from cases.batches.preview import preview_batch
from cases.models import Batch, Case, CaseValue, Decision
from footprint.accounts.models import Person, Role
from footprint.ledger.record import Actor
from tests.cases.batches.bulk import decided, drafted, worked
from tests.cases.views.pages import HTMX, queue_url, text_of
from tests.cases.world import decide_on, merge_and_settle, row, verdict_of
from tests.roles import client_of, person_with

MANY = [f"lis-w-{number}" for number in range(25)]


@pytest.fixture
def case(case: Case) -> Case:
    merge_and_settle(
        case,
        row(dns="common.example", devices=25, device_names=MANY),
        *(row(f"203.0.113.{number}", f"h{number}.example") for number in range(3)),
        row("198.51.100.9"),
    )
    return case


def selection(case: Case, **more: object) -> dict[str, object]:
    return {"verdict": "blocked", "reason": "Beacons", "scope": "", "until": "", "back": "", **more}


def batches_url(case: Case) -> str:
    return f"/cases/{case.pk}/batches/"


def page_of(batch: Batch) -> str:
    return f"/cases/{batch.case_id}/batches/{batch.pk}/"


def act_on(client: Client, batch: Batch, act: str, **more: str) -> Batch:
    response = client.post(f"{page_of(batch)}act", {"act": act, **more})
    assert response.status_code == 302
    return Batch.objects.get(pk=batch.pk)


WORDED = {"scope": "everywhere", "until": "", "reason": "Beacons"}


def test_the_queue_offers_a_box_on_each_row_and_all_that_match(site: Client, case: Case):
    page = site.get(queue_url(case, "q=example")).content.decode()
    assert page.count('name="value"') == 4
    assert "Select all 4 that match" in text_of(site.get(queue_url(case, "q=example")))
    assert "select=all" in page


def test_who_may_not_decide_is_offered_no_selection(reading: Client, case: Case):
    page = reading.get(queue_url(case)).content.decode()
    assert 'name="value"' not in page
    assert 'id="bulk"' not in page


def test_all_that_match_are_frozen_not_the_page_alone(site: Client, case: Case, monkeypatch):
    monkeypatch.setattr("cases.views.queue.PAGE", 2)
    site.post(batches_url(case), selection(case, all="1", back="q=example"))
    batch = Batch.objects.get()
    assert (batch.total, batch.query, batch.is_picked) == (4, "q=example", False)
    assert not Decision.objects.exists()


def test_ticked_values_are_frozen_alone(site: Client, case: Case):
    pk = CaseValue.objects.get(case=case, value="h1.example").pk
    site.post(batches_url(case), selection(case, value=[str(pk), "x", "9" * 30]))
    batch = Batch.objects.get()
    assert (batch.total, batch.is_picked) == (1, True)


def test_a_value_of_another_case_is_not_taken_in(site: Client, case: Case, other_case: Case):
    merge_and_settle(other_case, row(dns="other.example"))
    pk = CaseValue.objects.get(case=other_case).pk
    response = site.post(batches_url(case), selection(case, value=[str(pk)]), follow=True)
    assert "No value matches any more" in text_of(response)
    assert not Batch.objects.exists()


def test_nothing_selected_is_said(site: Client, case: Case):
    response = site.post(batches_url(case), selection(case))
    assert response.status_code == 422
    assert "Tick at least one value" in text_of(response)


def test_a_refused_selection_loses_neither_ticks_nor_words(site: Client, case: Case):
    ticked = [str(each.pk) for each in CaseValue.objects.filter(case=case)[:2]]
    typed = selection(case, value=ticked, reason="Beacons\u202eexe", scope="everywhere", until="30")
    response = site.post(batches_url(case), typed)
    page = response.content.decode()
    assert response.status_code == 422
    assert "a character that nobody can see" in page
    assert re.findall(r'name="value" value="(\d+)"', page) == ticked
    assert "Beacons\u202eexe" in page
    assert '<option value="30" selected>' in page
    assert '<option value="everywhere" selected>' in page
    again = site.post(batches_url(case), typed | {"reason": "Beacons"})
    assert (again.status_code, Batch.objects.get().total) == (302, 2)


def test_a_selection_of_all_that_is_too_large_stays_as_it_was(site: Client, case: Case, settings):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_most": 2})
    response = site.post(batches_url(case), selection(case, all="1", back="q=example"))
    page = response.content.decode()
    assert "more than 2 values; narrow the filter" in page
    assert 'name="all" value="1"' in page
    assert 'value="q=example"' in page
    assert ">Beacons</textarea>" in page or "\nBeacons</textarea>" in page


def test_what_was_typed_waits_in_the_queue_until_the_selection_is_taken(site: Client, case: Case, settings):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"batch_most": 2})
    typed = selection(case, all="1", reason="Seen in “the” report", scope="everywhere", until="30")
    site.post(batches_url(case), typed)
    bar = site.get(queue_url(case, "q=common")).content.decode().partition('id="bulk"')[2]
    assert 'value="Seen in “the” report"' in bar
    assert '<option value="everywhere" selected>' in bar
    assert '<option value="30" selected>' in bar
    site.post(batches_url(case), typed | {"back": "q=common"})
    assert "Seen in" not in site.get(queue_url(case)).content.decode()


def test_whoever_ticked_nothing_may_tick_there_and_keeps_the_reason(site: Client, case: Case):
    page = site.post(batches_url(case), selection(case, back="q=common")).content.decode()
    value = CaseValue.objects.get(case=case, value="common.example")
    assert re.findall(r'type="checkbox" name="value" value="(\d+)"', page) == [str(value.pk)]
    assert "Beacons</textarea>" in page


def test_a_reason_of_a_draft_that_is_too_long_is_kept_to_be_cut(site: Client, case: Case):
    response = site.post(batches_url(case), selection(case, all="1", reason="x" * 5_000))
    assert response.status_code == 422
    assert "x" * 5_000 in response.content.decode()


@pytest.mark.parametrize(
    ("verdict", "scope", "ends"), [("blocked", "everywhere", False), ("allowed", "case", True)]
)
def test_place_and_end_are_as_usual_unless_chosen(
    site: Client, case: Case, verdict: str, scope: str, ends: bool
):
    site.post(batches_url(case), selection(case, all="1", verdict=verdict))
    batch = Batch.objects.get()
    assert (batch.scope, batch.expires_at is not None) == (scope, ends)


def test_the_draft_says_what_it_would_touch(site: Client, rui: Person, ana: Person, case: Case):
    decide_on(ana, case, "h0.example", "allowed")
    decide_on(ana, case, "h1.example", "allowed", scope="case")
    batch = drafted(rui, case)
    decide_on(ana, case, "h2.example", "allowed", scope="case")
    page = text_of(site.get(page_of(batch)))
    assert "Block 5 values everywhere?" in page
    assert "Takes the place of 1 decision of Ana Sousa: allowed" in page
    assert "2 values stay as they are here: a narrower decision" in page
    assert "1 value was decided on since this was counted" in page
    assert "1 value needs a second person" in page
    assert "values that came later are not taken in" in page


def test_confirming_decides_and_nothing_before(site: Client, rui: Person, case: Case):
    batch = act_on(site, drafted(rui, case), "confirm", **WORDED)
    assert batch.state == Batch.State.QUEUED
    worked(batch)
    assert verdict_of(case, "h0.example") == "blocked"


def test_another_place_is_counted_again_before_it_is_confirmed(site: Client, rui: Person, case: Case):
    batch = drafted(rui, case)
    response = site.post(f"{page_of(batch)}act", {"act": "confirm", **WORDED, "scope": "case"}, follow=True)
    assert "counted again. Look once more" in text_of(response)
    batch.refresh_from_db()
    assert (batch.state, batch.scope) == (Batch.State.DRAFT, "case")


def test_a_missing_reason_is_said_at_its_field_and_nothing_typed_is_lost(
    site: Client, rui: Person, case: Case
):
    batch = drafted(rui, case, reason="")
    response = site.post(f"{page_of(batch)}act", {"act": "confirm", **WORDED, "reason": "", "until": "30"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "Say why" in page
    assert re.search(r'<option value="30"\s+selected', page)


def test_a_draft_is_discarded(site: Client, rui: Person, case: Case):
    batch = drafted(rui, case)
    assert site.post(f"{page_of(batch)}act", {"act": "discard"}).status_code == 302
    assert not Batch.objects.exists()


def test_only_its_person_confirms_a_draft(rui: Person, ana: Person, case: Case):
    batch = drafted(rui, case)
    client = client_of(ana)
    assert 'value="confirm"' not in client.get(page_of(batch)).content.decode()
    assert act_on(client, batch, "stop").state == Batch.State.DRAFT


def test_progress_answers_304_until_it_moves_and_286_at_the_end(site: Client, rui: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    url = f"{page_of(batch)}progress"
    first = site.get(url, headers=HTMX)
    assert first.status_code == 200
    again = site.get(url, headers=HTMX | {"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    worked(batch)
    assert site.get(url, headers=HTMX).status_code == 286
    assert site.get(f"{url}?strip=1", headers=HTMX).status_code == 286


def test_a_batch_underway_is_over_the_queue(site: Client, rui: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    assert "Batch" in text_of(site.get(queue_url(case)))
    assert 'id="batch-strip"' in site.get(queue_url(case)).content.decode()
    worked(batch)
    assert 'id="batch-strip"' not in site.get(queue_url(case)).content.decode()


def test_it_is_stopped_resumed_and_undone(site: Client, rui: Person, case: Case):
    batch = confirm(actor=rui, batch=drafted(rui, case))
    assert act_on(site, batch, "stop").state == Batch.State.STOPPED
    batch = worked(act_on(site, batch, "resume"))
    assert batch.decided == 4
    batch = worked(act_on(site, batch, "undo"))
    assert batch.is_undone
    assert "Undone" in text_of(site.get(page_of(batch)))


def test_what_was_left_alone_is_listed_with_who(site: Client, rui: Person, ana: Person, case: Case):
    batch = drafted(rui, case)
    decide_on(ana, case, "h0.example", "allowed", scope="case")
    batch = worked(confirm(actor=rui, batch=batch))
    assert "allowed meanwhile by Ana Sousa" in text_of(site.get(page_of(batch)))


def test_a_second_person_finds_it_in_the_inbox_and_answers_all_of_it(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case)
    assert "in bulk, for you to answer" not in text_of(client_of(rui).get("/"))
    client = client_of(ana)
    assert "1 of them waits for a second person" in text_of(client.get("/"))
    assert "Approve it" in text_of(client.get(page_of(batch)))
    batch = worked(act_on(client, batch, "approve"))
    assert (batch.approved, verdict_of(case, "common.example")) == (1, "blocked")
    assert "for you to answer" not in text_of(client.get("/"))


def test_rejecting_wants_a_reason(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case)
    client = client_of(ana)
    for reason, said in (("", "Say why"), ("x" * 2_001, "2,000"), ("No\x07", "nobody can see")):
        answer = client.post(f"{page_of(batch)}act", {"act": "reject", "reason": reason})
        assert (answer.status_code, said in text_of(answer)) == (422, True)
        assert f'value="{reason}"' in answer.content.decode() or not reason
    assert Batch.objects.get().task == Batch.Task.DECIDING
    assert worked(act_on(client, batch, "reject", reason="Our proxy")).rejected == 1


def test_whoever_proposed_is_told_why_they_cannot_answer(site: Client, rui: Person, case: Case):
    batch = decided(rui, case)
    page = text_of(site.get(page_of(batch)))
    assert "You proposed this yourself" in page
    assert "Approve" not in page


def test_an_analyst_proposes_in_bulk(case: Case):
    lou = person_with(Role.ANALYST, "lou")
    client = client_of(lou)
    client.post(batches_url(case), selection(case, all="1"))
    batch = worked(act_on(client, Batch.objects.get(), "confirm", **WORDED))
    assert (batch.decided, batch.proposed) == (0, 5)


def test_a_reader_neither_drafts_nor_acts(reading: Client, rui: Person, case: Case):
    assert reading.post(batches_url(case), selection(case, all="1")).status_code == 403
    batch = drafted(rui, case)
    assert reading.post(f"{page_of(batch)}act", {"act": "confirm", **WORDED}).status_code == 403


def test_an_unknown_verdict_or_act_is_refused(site: Client, rui: Person, case: Case):
    assert site.post(batches_url(case), selection(case, all="1", verdict="maybe")).status_code == 400
    assert site.post(f"{page_of(drafted(rui, case))}act", {"act": "explode"}).status_code == 400


def test_the_pages_take_as_many_queries_for_many_values_as_for_few(
    site: Client, rui: Person, case: Case, django_assert_num_queries: DjangoAssertNumQueries
):
    merge_and_settle(case, *(row(dns=f"more{number}.example") for number in range(40)))
    few, many = drafted(rui, case, "h0.example"), drafted(rui, case)
    site.get(page_of(few))
    with django_assert_num_queries(DRAFT_QUERIES):
        site.get(page_of(few))
    with django_assert_num_queries(DRAFT_QUERIES):
        site.get(page_of(many))
    done = decided(rui, case)
    with django_assert_num_queries(BATCH_QUERIES):
        site.get(page_of(done))


DRAFT_QUERIES = 22
BATCH_QUERIES = 11


def test_a_draft_of_a_case_closed_meanwhile_is_shown_without_its_preview(
    site: Client, rui: Person, case: Case
):
    batch = drafted(rui, case)
    Case.objects.filter(pk=case.pk).update(state=Case.State.CLOSED)
    response = site.get(page_of(batch))
    assert response.status_code == 200
    assert "The case is closed" in text_of(response)
    assert "Takes the place" not in text_of(response)


def stopped_half_way(batch: Batch) -> Batch:
    """The first two of its five values are decided or proposed."""
    held = claim(batch.pk, "tests")
    assert held is not None
    decide_step(held, Actor.person(batch.asked_by), Pace(2))
    return stop(actor=batch.asked_by, batch=batch)


def test_what_stopped_half_way_is_answered_only_once_it_is_ended(
    rui: Person, ana: Person, case: Case, settings
):
    lou = person_with(Role.ANALYST, "lou")
    batch = stopped_half_way(confirm(actor=lou, batch=drafted(lou, case)))
    client = client_of(ana)
    for act in ("approve", "reject"):
        assert act_on(client, batch, act, reason="No").state == "stopped"
    page = text_of(client.get(page_of(batch)))
    assert "Never decided 3" in page
    assert "Approve all" not in page
    assert act_on(client, batch, "end").state == "done"
    assert "Never decided 3" in text_of(client.get(page_of(batch)))
    answered = worked(act_on(client, batch, "approve"))
    assert (answered.state, answered.approved) == ("done", 2)
    assert "Never decided 3" in text_of(client.get(page_of(batch)))


def test_the_draft_counts_a_holder_that_takes_a_second_person_to_end(
    rui: Person, ana: Person, case: Case, settings
):
    decide_on(ana, case, "198.51.100.9", "blocked")
    batch = drafted(rui, case, "198.51.100.9", verdict="allowed", scope="everywhere")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"second_person_everywhere_blocks": True})
    said = preview_batch(batch).second_person
    made = worked(confirm(actor=rui, batch=batch))
    assert said == made.proposed == 1


def test_what_a_closed_case_does_not_take_is_not_offered(rui: Person, ana: Person, case: Case):
    batch = decided(rui, case)
    offered = client_of(ana).get(page_of(batch)).content.decode()
    assert 'value="approve"' in offered
    assert 'value="undo"' in client_of(rui).get(page_of(batch)).content.decode()
    Case.objects.filter(pk=case.pk).update(state="closed")
    page = client_of(ana).get(page_of(batch))
    assert 'value="approve"' not in page.content.decode()
    assert 'value="reject"' in page.content.decode()
    assert "nothing of the batch can be approved as one until that is reopened" in text_of(page)
    assert 'value="undo"' not in client_of(rui).get(page_of(batch)).content.decode()


def test_who_ended_it_stands_on_its_page_and_who_may_not_is_not_asked(rui: Person, ana: Person, case: Case):
    batch = stopped_half_way(confirm(actor=rui, batch=drafted(rui, case)))
    lou = client_of(person_with(Role.ANALYST, "lou"))
    assert 'value="end"' not in lou.get(page_of(batch)).content.decode()
    assert "Stopped by Rui Alves" in text_of(lou.get(page_of(batch)))
    act_on(client_of(ana), batch, "end")
    assert "Ended by Ana Sousa with 3 of them never decided" in text_of(lou.get(page_of(batch)))
