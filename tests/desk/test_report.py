from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from markdown_it import MarkdownIt
from pytest_django import DjangoAssertNumQueries

from cases.models import Case, CaseFile, Decision, Proposal
from cases.note_actions import add_note, remove_note
from footprint.accounts.models import Person, Role
from footprint.desk import report as report_module
from footprint.desk.report import LedgerAt
from footprint.ledger.models import Entry, Head
from hunts.models import Coverage, Hunt, Run, Slice, Source
from tests.cases.batches.bulk import decided
from tests.cases.views.pages import text_of
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.roles import client_with, person_with

TODAY = datetime.now(UTC).date()


@pytest.fixture
def case(rui: Person) -> Case:
    case = open_case(rui, "a.exe", "b.exe")
    merge_and_settle(
        case, row("1.1.1.1", "a.example"), row(dns="b.example", file="b.exe"), row(dns="c.example")
    )
    decide_on(rui, case, "a.example", reason="Relay network")
    decide_on(rui, case, "b.example", "allowed", scope="case", reason="Vendor")
    return case


@pytest.fixture
def hunt(case: Case, rui: Person) -> Hunt:
    source = Source.objects.get(slug="local")
    hunt = Hunt.objects.create(case=case, source=source, opened_by=rui, look_back_days=5)
    hunt.files.set(case.files.filter(key="a.exe"))
    first = TODAY - timedelta(days=4)
    run = Run.objects.create(
        hunt=hunt, slot="1", state="complete", first_day=first, last_day=TODAY, ended_at=timezone.now()
    )
    for purpose, kql in (("plan", "first"), ("days", "second")):
        Slice.objects.create(
            run=run, purpose=purpose, file_kind="name", first_day=first, last_day=TODAY, state="done", kql=kql
        )
    states = {4: "covered", 3: "covered", 2: "owed", 0: "partial"}
    for back, state in states.items():
        Coverage.objects.create(hunt=hunt, day=TODAY - timedelta(days=back), state=state, run=run)
    return hunt


def page_of(site: Client, case: Case, query: str = "") -> str:
    return text_of(site.get(f"/cases/{case.pk}/report/{query}"))


def markdown_of(site: Client, case: Case, query: str = "") -> str:
    return site.get(f"/cases/{case.pk}/report/markdown{query}").content.decode()


def test_it_tells_what_was_found_decided_by_whom_and_why(site: Client, case: Case, hunt: Hunt) -> None:
    said = page_of(site, case)
    for known in (
        "3 values: 1 blocked, 1 allowed, 1 undecided.",
        "a[.]example",
        "Relay network",
        "block of a[.]example everywhere",
        "allow of b[.]example in the case",
        "Rui Alves",
        "1 value is undecided.",
    ):
        assert known in said


def test_it_tells_what_was_asked_with_the_digest_of_the_texts(site: Client, case: Case, hunt: Hunt) -> None:
    digest = hashlib.sha256(b"first\0second\0").hexdigest()
    for said in (page_of(site, case), markdown_of(site, case).replace("\\", "")):
        assert "2 texts sent by that run" in said
        assert digest in said


def test_coverage_is_told_day_by_day_and_never_claimed(site: Client, case: Case, hunt: Hunt) -> None:
    said = page_of(site, case)
    assert "complete 2 " in said
    assert "missing 1 " in said
    assert "partial 1 " in said
    assert "never asked 1 " in said
    assert f"Hunt {hunt.pk}:" in said


def test_a_file_that_no_hunt_asks_for_is_told(site: Client, case: Case, hunt: Hunt) -> None:
    said = page_of(site, case)
    assert "b.exe file name 0 1 0 never asked" in said
    assert "1 file was never asked for." in said


@pytest.mark.parametrize(("state", "said"), [("covered", "on full coverage"), ("owed", "with gaps")])
def test_nothing_found_is_a_result_only_when_every_day_is_covered(
    site: Client, rui: Person, state: str, said: str
) -> None:
    case = open_case(rui, "a.exe")
    hunt = Hunt.objects.create(
        case=case, source=Source.objects.get(slug="local"), opened_by=rui, look_back_days=2
    )
    hunt.files.set(case.files.all())
    run = Run.objects.create(hunt=hunt, slot="1", state="complete", first_day=TODAY, last_day=TODAY)
    Coverage.objects.create(hunt=hunt, day=TODAY - timedelta(days=1), state=state, run=run)
    assert said in page_of(site, case)
    assert said in markdown_of(site, case)


def test_a_case_that_asked_nothing_proves_nothing(site: Client, rui: Person) -> None:
    assert "so nothing is proven" in page_of(site, open_case(rui, "a.exe"))


def test_a_decision_made_elsewhere_that_counts_here_is_told(site: Client, case: Case, rui: Person) -> None:
    other = open_case(rui, "a.exe")
    merge_and_settle(other, row(dns="c.example"))
    decide_on(rui, other, "c.example", reason="Known there")
    said = page_of(site, case)
    assert "Decided elsewhere, and counting for values above" in said
    assert "Known there" in said


def test_what_waits_for_approval_is_open_and_defanged(site: Client, case: Case, rui: Person) -> None:
    decision = Decision.objects.get(subject="a.example")
    Proposal.objects.create(
        decision=decision, kind="withdraw", proposer=rui, proposed_at=timezone.now(), reason="x", digest=""
    )
    said = "Waits for approval: the withdrawal of the block of a[.]example everywhere, proposed by Rui Alves."
    assert said in page_of(site, case)
    assert said in markdown_of(site, case).replace("\\", "")


def test_a_run_underway_is_open(site: Client, case: Case, hunt: Hunt) -> None:
    run = Run.objects.create(hunt=hunt, slot="2", state="running", first_day=TODAY, last_day=TODAY)
    assert f"Run {run.pk} goes on" in page_of(site, case)


def test_it_carries_the_head_of_the_ledger(site: Client, case: Case) -> None:
    head = Head.objects.get()
    assert bytes(head.hash).hex() in page_of(site, case)
    assert f"entry {head.seq}, hash `{bytes(head.hash).hex()}`" in markdown_of(site, case)


def test_a_ledger_that_moved_meanwhile_is_told(case: Case) -> None:
    now = Head.objects.get()
    assert report_module._ledger_at(Head(seq=now.seq, hash=now.hash)) == LedgerAt(
        now.seq, bytes(now.hash).hex(), None
    )
    moved = report_module._ledger_at(Head(seq=now.seq - 2, hash=b"x" * 32))
    assert moved is not None
    assert (moved.seq, moved.until) == (now.seq - 2, now.seq)


def test_notes_come_when_asked_for_and_removed_ones_never(site: Client, case: Case, rui: Person) -> None:
    add_note(actor=rui, case=case, text="Kept **note**")
    remove_note(actor=rui, note=add_note(actor=rui, case=case, text="Gone note"), version=1)
    assert "Kept note" not in page_of(site, case)
    assert "Kept note" in page_of(site, case, "?notes=1")
    assert "Gone note" not in page_of(site, case, "?notes=1")
    assert "Kept **note**" in markdown_of(site, case, "?notes=1")


def test_a_cut_list_says_how_many_are_missing(
    site: Client, case: Case, rui: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "VALUES_LISTED", 2)
    merge_and_settle(case, *(row(dns=f"n{number}.example", events=number + 2) for number in range(3)))
    for said in (page_of(site, case), markdown_of(site, case)):
        assert "2 more" in said
        assert "not listed here" in said
        assert "n2[.]example" in said


def test_hostile_texts_stay_text_in_the_markdown(site: Client, case: Case, rui: Person) -> None:
    hostile = "<img src=x>|[x](javascript:y)`\n# head"
    Case.objects.filter(pk=case.pk).update(title=hostile, why=hostile, tlp="red", tags=["<b>|"])
    merge_and_settle(case, row(dns="<b>|`x` [y](http://z.example)"))
    CaseFile.objects.create(case=case, kind="name", text=hostile, key="hostile")
    Decision.objects.filter(made_in=case).update(reason=hostile)
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown_of(site, case))
    kinds = {each.type for token in tokens for each in (token, *(token.children or ()))}
    assert not kinds & {"link_open", "html_inline", "html_block", "image"}
    headings = [
        tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"
    ]
    assert not [heading for heading in headings if heading.startswith("head")]


def test_the_mark_stands_first(site: Client, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(tlp="amber+strict")
    assert markdown_of(site, case).startswith("**TLP:AMBER+STRICT**")


def test_a_download_is_an_entry_with_the_digest_of_the_file(site: Client, case: Case) -> None:
    answer = site.get(f"/cases/{case.pk}/report/markdown")
    assert f'filename="case-{case.pk}-{TODAY}.md"' in answer.headers["Content-Disposition"]
    content = Entry.objects.latest("seq").content
    assert content["event"] == "cases:report:downloaded"
    assert content["after"]["sha256"] == hashlib.sha256(answer.content).hexdigest()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_reads_the_report(case: Case, role: Role) -> None:
    assert client_with(role).get(f"/cases/{case.pk}/report/").status_code == 200


def test_the_report_asks_as_often_for_one_value_as_for_many(
    site: Client, case: Case, hunt: Hunt, rui: Person, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(30)))
    for number in range(10):
        decide_on(rui, case, f"n{number}.example")
        add_note(actor=rui, case=case, text="x")
    with django_assert_max_num_queries(32):
        site.get(f"/cases/{case.pk}/report/?notes=1")


def test_a_batch_that_waits_is_one_line(site: Client, case: Case) -> None:
    lou = person_with(Role.ANALYST, "lou")
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(3)))
    batch = decided(lou, case, "n0.example", "n1.example", "n2.example", verdict="blocked")
    said = page_of(site, case)
    assert f"3 proposals wait for approval: batch {batch.pk}, the block of 3 values, everywhere," in said
    assert "Waits for approval" not in said


def test_of_many_proposals_that_wait_so_many_are_listed_and_all_counted(
    site: Client, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "PROPOSALS_LISTED", 2)
    lou = person_with(Role.ANALYST, "lou")
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(5)))
    for number in range(5):
        decide_on(lou, case, f"n{number}.example")
    said = page_of(site, case)
    assert said.count("Waits for approval") == 2
    assert "3 proposals wait for approval besides, not listed here." in said
