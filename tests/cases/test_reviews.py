"""When a review falls due, when it does not, and what confirming does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cases.folding import CAPS
from cases.merging import RowToMerge, merge, settle_unsettled
from cases.models import Case, CaseFile, CaseValue, FileTrait, ReviewDue
from cases.review_actions import confirm_of_file, confirm_of_value, confirm_of_values
from cases.reviews import reviews_waiting_for
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.world import decide_on, events_of, open_case, row, verdict_of

LATER = timedelta(seconds=1)


def run_over(case: Case, *slices: list[RowToMerge], since: datetime | None = None) -> None:
    """One run: everything that is in the case so far was there before it."""
    began = since or timezone.now() + LATER
    for rows in slices:
        with transaction.atomic():
            merge(case_id=case.pk, source="local", rows=rows, since=began)
        settle_unsettled(case.pk)


def first_run(case: Case, *rows: RowToMerge) -> None:
    run_over(case, list(rows), since=timezone.now() - timedelta(days=1))


def due(case: Case) -> set[tuple[str, str, str]]:
    found = ReviewDue.objects.filter(case=case).values_list("cause", "file__key", "value", "what")
    return {(cause, file or value, what) for cause, file, value, what in found}


def aged(case: Case) -> None:
    """As if what the case holds had come an hour ago."""
    before = timezone.now() - timedelta(hours=1)
    CaseValue.objects.filter(case=case).update(added_at=before)
    FileTrait.objects.filter(file__case=case).update(added_at=before)


@pytest.fixture
def decided(case: Case, rui: Person) -> Case:
    """a.example is blocked, b.example is not decided."""
    first_run(case, row("192.0.2.1", "a.example"), row("192.0.2.2", "b.example"))
    decide_on(rui, case, "a.example")
    return case


def test_a_first_run_raises_none(case: Case, rui: Person, other_case: Case) -> None:
    first_run(other_case, row(dns="a.example"))
    decide_on(rui, other_case, "a.example")
    first_run(case, row(dns="a.example"))
    began = timezone.now() - timedelta(hours=1)
    run_over(case, [row(dns="a.example", ports=[8443], hashes=["b" * 40])], since=began)
    assert verdict_of(case, "a.example") == "blocked"
    assert due(case) == set()


def test_a_new_hash_and_folder_are_due_for_the_file(decided: Case) -> None:
    run_over(decided, [row("192.0.2.1", "a.example", hashes=["b" * 40], folders=["c:\\temp"])])
    assert due(decided) == {("hash", "a.exe", "b" * 40), ("folder", "a.exe", "c:\\temp")}


def test_a_new_hash_is_due_wherever_it_was_seen(decided: Case) -> None:
    run_over(decided, [row("192.0.2.9", "c.example", hashes=["b" * 40])])
    assert due(decided) == {("hash", "a.exe", "b" * 40)}


def test_a_file_without_decisions_is_never_due(decided: Case) -> None:
    first_run(decided, row(dns="z.example", file="b.exe"))
    run_over(decided, [row(dns="z.example", file="b.exe", hashes=["b" * 40])])
    assert due(decided) == set()


def test_the_first_hashes_of_a_file_are_unknown_and_not_new(decided: Case) -> None:
    FileTrait.objects.all().delete()
    run_over(decided, [row("192.0.2.1", "a.example", hashes=["b" * 40])])
    assert due(decided) == set()


def test_after_a_cut_set_no_hash_is_new(decided: Case) -> None:
    many = [f"{number:040x}" for number in range(CAPS["hashes"] + 1)]
    run_over(decided, [row("192.0.2.2", "b.example", hashes=many)])
    ReviewDue.objects.all().delete()
    run_over(decided, [row("192.0.2.1", "a.example", hashes=["f" * 40], folders=["d:\\"])])
    assert due(decided) == {("folder", "a.exe", "d:\\")}


def test_after_very_many_hashes_none_is_new(decided: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(510 // 10):
        hashes = [f"{number:030x}{each:010x}" for each in range(10)]
        run_over(decided, [row("192.0.2.2", "b.example", hashes=hashes)])
    assert FileTrait.objects.filter(file__case=decided, kind="hash", text="").count() == 1
    before = ReviewDue.objects.count()
    run_over(decided, [row("192.0.2.2", "b.example", hashes=["f" * 40])])
    assert ReviewDue.objects.count() == before


def test_a_port_never_seen_is_due_for_a_decided_value_alone(decided: Case) -> None:
    news = [row("192.0.2.1", "a.example", ports=[443, 8443]), row("192.0.2.2", "b.example", ports=[8443])]
    run_over(decided, news)
    assert due(decided) == {("port", "a.example", "8443")}


def test_a_port_at_another_address_of_the_name_is_known(decided: Case) -> None:
    run_over(decided, [row("192.0.2.77", "a.example", ports=[443])])
    assert due(decided) == set()


def test_cut_ports_are_unknown(decided: Case) -> None:
    CaseValue.objects.filter(value="a.example").update(ports_more=True)
    run_over(decided, [row("192.0.2.1", "a.example", ports=[8443])])
    assert due(decided) == set()


@pytest.mark.parametrize(
    ("before", "after", "is_due"),
    [
        (["InboundConnectionAccepted"], ["ConnectionSuccess"], True),
        (["InboundConnectionAccepted", "ListeningConnectionCreated"], ["ConnectionFailed"], True),
        (["InboundConnectionAccepted", "ConnectionSuccess"], ["ConnectionSuccess"], False),
        (["InboundConnectionAccepted"], ["ListeningConnectionCreated"], False),
        (["ListeningConnectionCreated"], ["ConnectionSuccess"], False),
        (["ConnectionSuccess"], ["InboundConnectionAccepted"], False),
    ],
)
def test_inbound_turned_outbound(
    case: Case, rui: Person, before: list[str], after: list[str], is_due: bool
) -> None:
    first_run(case, row("192.0.2.1", actions=before))
    decide_on(rui, case, "192.0.2.1")
    run_over(case, [row("192.0.2.1", actions=after)])
    assert due(case) == ({("outbound", "192.0.2.1", "outbound")} if is_due else set())


def test_no_verdict_changes(decided: Case) -> None:
    run_over(decided, [row("192.0.2.1", "a.example", ports=[1], hashes=["b" * 40])])
    assert verdict_of(decided, "a.example") == "blocked"


def test_what_was_confirmed_is_not_raised_again(decided: Case, rui: Person) -> None:
    news = [row("192.0.2.1", "a.example", ports=[8443])]
    run_over(decided, news)
    assert confirm_of_value(actor=rui, case=decided, value="a.example", upto=_latest()) == 1
    run_over(decided, news, news)
    assert not ReviewDue.objects.waiting().exists()


def test_confirming_is_an_entry_with_what_was_new(decided: Case, rui: Person, a_exe: CaseFile) -> None:
    run_over(decided, [row("192.0.2.1", "a.example", hashes=["b" * 40], folders=["c:\\temp"])])
    assert confirm_of_file(actor=rui, case=decided, file=a_exe, upto=_latest()) == 2
    entry = Entry.objects.latest("seq")
    assert (entry.event, entry.case_number) == ("cases:review:confirmed", decided.pk)
    assert "b" * 40 in entry.text
    assert ReviewDue.objects.filter(confirmed_by=rui).count() == 2


def test_what_came_after_the_look_is_not_confirmed(decided: Case, rui: Person) -> None:
    run_over(decided, [row("192.0.2.1", "a.example", ports=[8443])])
    seen = _latest()
    run_over(decided, [row("192.0.2.1", "a.example", ports=[9000])])
    confirm_of_values(actor=rui, case=decided, upto=seen)
    assert [each.what for each in ReviewDue.objects.waiting()] == ["9000"]


def test_confirming_nothing_writes_nothing(decided: Case, rui: Person) -> None:
    before = events_of()
    assert confirm_of_values(actor=rui, case=decided, upto=1) == 0
    assert events_of() == before


def test_the_inbox_has_one_line_for_a_file_and_one_for_all_values(
    decided: Case, rui: Person, ana: Person
) -> None:
    decide_on(rui, decided, "b.example")
    news: dict[str, Any] = {"ports": [7, 8], "hashes": ["b" * 40, "c" * 40]}
    run_over(decided, [row("192.0.2.1", "a.example", **news), row("192.0.2.2", "b.example", **news)])
    lines, total = reviews_waiting_for(rui, 10)
    assert total == 2
    assert {line.in_words for line in lines} == {"2 new hashes", "4 new ports"}
    assert {line.values for line in lines} == {0, 2}
    assert {line.is_mine for line in lines} == {True}
    assert {line.is_mine for line in reviews_waiting_for(ana, 10)[0]} == {False}
    assert reviews_waiting_for(rui, 1)[1] == 2


def test_nobody_is_asked_who_cannot_confirm(decided: Case) -> None:
    run_over(decided, [row("192.0.2.1", "a.example", ports=[8443])])
    reader = Person.objects.create(username="eva", role=Role.READER)
    assert reviews_waiting_for(reader, 10) == ([], 0)


def _latest() -> int:
    return ReviewDue.objects.latest("pk").pk


VALUES = ("a.example", "b.example", "c.example", "d.example")
ROWS = st.builds(
    lambda name, port, letter, folder: row(
        "192.0.2.1", name, ports=[port], hashes=[letter * 40], folders=[folder]
    ),
    st.sampled_from(VALUES),
    st.sampled_from([443, 80, 8443]),
    st.sampled_from("abc"),
    st.sampled_from(["c:\\windows", "c:\\temp"]),
)
SLICES = st.lists(st.lists(ROWS, min_size=1, max_size=4), min_size=1, max_size=4)


class TestAnyOrder(TestCase):
    """a.example is decided, and d.example before the case saw it; no set reaches its cap."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(slices=SLICES, data=st.data())
    def test_slices_in_any_order_raise_the_same(
        self, slices: list[list[RowToMerge]], data: st.DataObject
    ) -> None:
        rui = Person.objects.create(username="rui", role=Role.REVIEWER)
        cases = [open_case(rui, "a.exe") for _ in range(2)]
        for case in cases:
            first_run(case, row("192.0.2.1", "a.example"), row("192.0.2.1", "b.example"))
            aged(case)
        decide_on(rui, cases[0], "a.example", scope="everywhere")
        elsewhere = open_case(rui, "other.exe")
        first_run(elsewhere, row(dns="d.example", file="other.exe"))
        decide_on(rui, elsewhere, "d.example", scope="everywhere")
        began = timezone.now() - timedelta(minutes=1)
        run_over(cases[0], *slices, since=began)
        run_over(cases[1], *data.draw(st.permutations(slices)), since=began)
        assert due(cases[0]) == due(cases[1])
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM cases_reviewdue")
            before = cursor.fetchone()
            run_over(cases[0], *slices, since=began)
            run_over(cases[0], *slices)
            cursor.execute("SELECT count(*) FROM cases_reviewdue")
            assert cursor.fetchone() == before
