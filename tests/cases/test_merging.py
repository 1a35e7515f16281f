from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cases.merging import RowToMerge, merge, settle_unsettled
from cases.models import Case, CaseValue, Endpoint, Sighting
from footprint.accounts.models import Person
from tests.cases.world import (
    DAY,
    NOON,
    decide_on,
    kept,
    merge_and_settle,
    merge_only,
    open_case,
    row,
    value_of,
)

IN_A_ROLLED_BACK_TEST = settings(
    deadline=None,
    max_examples=25,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_a_row_becomes_an_endpoint_a_sighting_and_a_value(case: Case):
    merged = merge_only(case, row("1.2.3.4", "a.example", events=7, active_hours=3))
    assert (merged.rows, merged.new_endpoints, merged.new_values, merged.changed_endpoints) == (1, 1, 1, 0)
    sighting = Sighting.objects.get(endpoint__case=case)
    assert (sighting.day, sighting.source, sighting.events, sighting.active_hours) == (DAY, "local", 7, 3)
    value = value_of(case, "a.example")
    assert (value.kind, value.endpoints, value.undecided, value.is_open) == ("name", 1, 1, True)


def test_merging_needs_the_transaction_of_the_caller(fresh_database: object):
    person = Person.objects.create(username="rui")
    case = open_case(person, "a.exe")
    with pytest.raises(transaction.TransactionManagementError):
        merge(case_id=case.pk, source="local", rows=[])


def test_new_endpoints_are_unsettled_until_they_are_judged(case: Case):
    merge_only(case, row("1.2.3.4"))
    assert Endpoint.objects.unsettled().count() == 1
    assert settle_unsettled(case.pk) == 1
    assert settle_unsettled(case.pk) == 0


def test_merging_the_same_rows_again_writes_nothing(case: Case):
    rows = [row("1.2.3.4", "a.example"), row("", "b.example", device_names=["x", "y"], devices=9)]
    merge_and_settle(case, *rows)
    before = _row_versions()
    merged = merge_and_settle(case, *rows)
    assert (merged.new_endpoints, merged.new_values, merged.changed_endpoints) == (0, 0, 0)
    assert _row_versions() == before


def test_asking_a_day_again_keeps_the_greater_numbers(case: Case):
    merge_only(case, row("1.2.3.4", events=10, active_hours=2, devices=1))
    merge_only(case, row("1.2.3.4", events=8, active_hours=5, devices=1))
    sighting = Sighting.objects.get()
    assert (sighting.events, sighting.active_hours) == (10, 5)
    assert value_of(case, "1.2.3.4").events == 10


def test_late_data_moves_first_and_last_apart(case: Case):
    merge_only(case, row("1.2.3.4"))
    merge_only(
        case, row("1.2.3.4", first_seen=NOON - timedelta(hours=1), last_seen=NOON + timedelta(hours=1))
    )
    endpoint = Endpoint.objects.get()
    assert (endpoint.first_seen, endpoint.last_seen) == (NOON - timedelta(hours=1), NOON + timedelta(hours=1))


def test_sources_and_days_are_counted_apart(case: Case):
    merge_only(case, row("1.2.3.4", events=5), source="local")
    merge_only(case, row("1.2.3.4", events=5), source="lab")
    merge_only(case, row("1.2.3.4", events=5, days_ago=1), source="lab")
    value = value_of(case, "1.2.3.4")
    assert (value.events, value.days) == (15, 2)


def test_new_evidence_joins_the_sets(case: Case):
    merge_only(case, row("1.2.3.4", ports=[443], hashes=["b"]))
    merged = merge_only(case, row("1.2.3.4", ports=[80], hashes=["a", "b"]))
    assert merged.changed_endpoints == 1
    endpoint = Endpoint.objects.get()
    assert (endpoint.ports, endpoint.hashes, endpoint.more) == ([80, 443], ["a", "b"], [])


def test_a_set_that_grows_over_its_cap_is_cut_and_named(case: Case):
    merge_only(case, row("1.2.3.4", parents=["p1", "p2", "p3", "p4", "p5"]))
    assert Endpoint.objects.get().more == []
    merge_only(case, row("1.2.3.4", parents=["p6"]))
    endpoint = Endpoint.objects.get()
    assert (endpoint.parents, endpoint.more) == (["p1", "p2", "p3", "p4", "p5"], ["parents"])


def test_a_cut_set_does_not_depend_on_the_order_of_arrival(case: Case, other_case: Case):
    rows = [row("1.2.3.4", parents=[f"p{number}"], days_ago=number) for number in range(9)]
    for each in rows:
        merge_only(case, each)
    for each in reversed(rows):
        merge_only(other_case, each)
    assert kept(case) == kept(other_case)


def test_values_count_files_addresses_devices_and_ports(case: Case):
    merge_only(
        case,
        row("1.1.1.1", "a.example", device_names=["d1", "d2"], devices=2, ports=[443]),
        row("2.2.2.2", "a.example", device_names=["d2", "d3"], devices=2, ports=[80]),
        row("2.2.2.2", "a.example", file="b.exe", device_names=["d3"], devices=1, ports=[80]),
    )
    value = value_of(case, "a.example")
    assert (value.endpoints, value.files, value.addresses, value.devices) == (3, 2, 2, 3)
    assert (value.ports, value.devices_more, value.ports_more) == ([80, 443], False, False)


def test_devices_of_a_value_are_at_least_when_a_set_was_cut(case: Case):
    cut = [f"d{number:02}" for number in range(26)]
    merge_only(
        case,
        row("1.1.1.1", "a.example", device_names=cut, devices=300),
        row("2.2.2.2", "a.example", device_names=["x"], devices=1),
    )
    value = value_of(case, "a.example")
    assert (value.devices, value.devices_more) == (300, True)


def test_the_strip_holds_thirty_days_that_end_on_the_last_day_seen(case: Case):
    merge_only(
        case,
        row("1.2.3.4", events=5),
        row("1.2.3.4", events=3, days_ago=29),
        row("1.2.3.4", events=9, days_ago=30),
    )
    value = value_of(case, "1.2.3.4")
    assert (value.strip_to, value.strip) == (DAY, [3, *[0] * 28, 5])
    assert (value.days, value.events) == (3, 17)


def test_a_merge_into_a_decided_value_opens_it_until_it_is_settled(case: Case, rui: Person):
    merge_and_settle(case, row("1.1.1.1", "a.example"))
    decide_on(rui, case, "a.example", "blocked")
    merge_only(case, row("2.2.2.2", "a.example"))
    assert value_of(case, "a.example").verdict == "undecided"
    settle_unsettled(case.pk)
    assert value_of(case, "a.example").verdict == "blocked"


def test_one_case_never_sees_the_rows_of_another(case: Case, other_case: Case):
    merge_only(case, row("1.2.3.4", events=5))
    merge_only(other_case, row("1.2.3.4", events=7))
    assert value_of(case, "1.2.3.4").events == 5
    assert value_of(other_case, "1.2.3.4").events == 7


def test_two_merges_fit_into_one_transaction(case: Case):
    with transaction.atomic():
        merge(case_id=case.pk, source="local", rows=[row("1.1.1.1")])
        merge(case_id=case.pk, source="local", rows=[row("2.2.2.2")])
    assert CaseValue.objects.filter(case=case).count() == 2


def test_an_empty_answer_merges(case: Case):
    assert merge_only(case).rows == 0


def test_the_number_of_statements_does_not_grow_with_the_rows(case: Case):
    with CaptureQueriesContext(connection) as few:
        merge_only(case, row("1.1.1.1"))
    with CaptureQueriesContext(connection) as many:
        merge_only(case, *(row(f"1.1.{n}.2", f"n{n}.example") for n in range(200)))
    assert len(many) == len(few)


RAW_IPS = st.sampled_from(["", "1.1.1.1", "::ffff:1.1.1.1", "2.2.2.2", "fe80::1%3"])
RAW_NAMES = st.sampled_from(["", "a.example", "A.example.", "2.2.2.2", "two words", "b.example"])
EVIDENCE = st.lists(st.sampled_from(["x", "y", "z"]), unique=True, max_size=3)


def answers_of_days() -> st.SearchStrategy[dict[int, list[RowToMerge]]]:
    """By days ago: rows as `summarize … by Day, File, IP, DNS` gives them, one per raw group."""
    numbers = st.tuples(
        st.integers(1, 5), st.integers(1, 9), EVIDENCE, st.lists(st.integers(1, 4), unique=True)
    )
    group = st.tuples(st.sampled_from(["a.exe", "b.exe"]), RAW_IPS, RAW_NAMES)
    return st.dictionaries(st.integers(0, 3), st.dictionaries(group, numbers, max_size=6), max_size=4).map(
        lambda days: {
            ago: [_answer_row(ago, *each) for each in groups.items()] for ago, groups in days.items()
        }
    )


def _answer_row(
    ago: int, group: tuple[str, str, str], numbers: tuple[int, int, list[str], list[int]]
) -> RowToMerge:
    hours, events, evidence, ports = numbers
    return row(
        group[1],
        group[2],
        days_ago=ago,
        file=group[0],
        events=events,
        active_hours=hours,
        devices=max(len(evidence), 1),
        device_names=evidence,
        hashes=evidence,
        ports=ports,
    )


@IN_A_ROLLED_BACK_TEST
@given(answers_of_days(), st.data())
def test_order_repetition_and_slicing_by_day_do_not_matter(
    case: Case, days: dict[int, list[RowToMerge]], data
):
    clean, disturbed = (open_case(case.owner, "a.exe", "b.exe") for _ in range(2))
    merge_and_settle(clean, *(each for rows in days.values() for each in rows))
    repeated = data.draw(st.lists(st.sampled_from([*days]), max_size=4)) if days else []
    asked = data.draw(st.permutations([*days, *repeated]))
    while asked:
        size = data.draw(st.integers(1, len(asked)))
        slice_of_days, asked = set(asked[:size]), asked[size:]
        rows = [each for ago in slice_of_days for each in days[ago]]
        merge_only(disturbed, *data.draw(st.permutations(rows)))
        if data.draw(st.booleans()):
            settle_unsettled(disturbed.pk)
    settle_unsettled(disturbed.pk)
    assert kept(disturbed) == kept(clean)


WILD_TEXT = st.text(st.characters(codec=None), max_size=300)
WILD_ROWS = st.builds(
    row,
    WILD_TEXT,
    WILD_TEXT,
    events=st.integers(-1, 2**70),
    active_hours=st.integers(-1, 2**40),
    devices=st.integers(-1, 2**40),
    device_names=st.lists(WILD_TEXT, max_size=3),
    ports=st.lists(st.integers(-(2**40), 2**40), max_size=3),
    actions=st.lists(WILD_TEXT, max_size=3),
    command_lines=st.lists(WILD_TEXT | st.just("x" * 40_000), max_size=7),
)


@IN_A_ROLLED_BACK_TEST
@given(st.lists(WILD_ROWS, max_size=5))
def test_nothing_in_an_answer_can_break_a_merge(case: Case, rows: list[RowToMerge]):
    merge_and_settle(case, *rows)


def _row_versions() -> list[tuple[object, ...]]:
    """Where every row lies: an update, even to the same content, would move it."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT 'e', id::text, ctid::text FROM cases_endpoint
            UNION ALL SELECT 's', endpoint_id::text || source || day, ctid::text FROM cases_sighting
            UNION ALL SELECT 'v', id::text, ctid::text FROM cases_casevalue ORDER BY 1, 2
        """)
        return list(cursor.fetchall())
