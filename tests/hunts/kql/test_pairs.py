from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hunts.kql.pairs import as_recorded, distinct, fold
from hunts.kql.rows import Row

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ROW = Row(
    day=date(2026, 11, 2),
    file="a.exe",
    ip="192.0.2.7",
    dns="cdn.example",
    first_seen=NOON,
    last_seen=NOON,
    events=2,
    active_hours=1,
    devices=1,
    device_names=["pc-1"],
    ports=[443],
    actions=[],
    accounts=[],
    hashes=[],
    folders=[],
    publishers=[],
    parents=[],
    command_lines=[],
)


def test_days_fold_to_one_pair_with_its_extent() -> None:
    later = NOON.replace(day=5)
    (pair,) = fold(
        [replace(ROW, day=later.date(), first_seen=later, last_seen=later, ports=[80]), ROW], as_recorded
    )
    assert (pair.first_seen, pair.last_seen) == (NOON, later)
    assert (pair.events, pair.days, pair.active_hours) == (4, 2, 2)
    assert pair.sets["ports"] == {80, 443}


def test_devices_are_at_least_the_names_seen() -> None:
    (pair,) = fold([ROW, replace(ROW, device_names=["pc-2"])], as_recorded)
    assert pair.devices == 2


def test_pairs_that_are_spelled_alike_become_one() -> None:
    (pair,) = fold([ROW, replace(ROW, dns="CDN.example.")], lambda ip, dns: (ip, dns.lower().rstrip(".")))
    assert pair.dns == "cdn.example"
    assert pair.active_hours == 1


def test_a_pair_with_nothing_left_is_left_out() -> None:
    assert fold([replace(ROW, ip="-", dns="")], lambda ip, dns: None) == []


def test_files_stay_apart_and_pairs_are_sorted() -> None:
    rows = [replace(ROW, file="b.exe"), ROW, replace(ROW, ip="10.0.0.1")]
    assert [(pair.file, pair.ip) for pair in fold(rows, as_recorded)] == [
        ("a.exe", "10.0.0.1"),
        ("a.exe", "192.0.2.7"),
        ("b.exe", "192.0.2.7"),
    ]


def test_a_set_keeps_one_more_than_its_cap() -> None:
    rows = [replace(ROW, ports=[number]) for number in range(100)]
    (pair,) = fold(rows, as_recorded)
    assert len(pair.sets["ports"]) == 26


def test_distinct_pairs_are_of_all_files_together() -> None:
    rows = [replace(ROW, file="b.exe"), ROW, replace(ROW, ip="10.0.0.1"), replace(ROW, ip="", dns="")]
    pairs = distinct(rows, lambda ip, dns: (ip, dns) if ip or dns else None)
    assert pairs == [("10.0.0.1", "cdn.example"), ("192.0.2.7", "cdn.example")]
