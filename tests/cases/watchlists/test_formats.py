from __future__ import annotations

import csv
import re
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.observed import observe
from cases.watchlists.formats import REGISTRY, Format, ListEntry

ENTRY = ListEntry(
    kind="name",
    value="a.example",
    verdict="blocked",
    reason="Beacons every five minutes",
    decided_by="Rui Alves",
    decided_at=datetime(2026, 11, 20, 12, 30, 5, 999_999, tzinfo=UTC),
    expires_at=None,
    case=7,
    decision=12,
)
ADDRESS = replace(ENTRY, kind="address", value="2001:db8::1", expires_at=datetime(2027, 11, 20, tzinfo=UTC))
TEXT = replace(ENTRY, kind="text", value="=cmd|' /C calc'!A0")
CSV, PLAIN = REGISTRY["sentinel-csv"], REGISTRY["plain-text"]


def written(format: Format, *entries: ListEntry) -> str:
    return "".join(format.write(entries))


def table(*entries: ListEntry) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(written(CSV, *entries), newline="")))


def test_the_csv_of_a_fixed_list():
    assert written(CSV, ENTRY, ADDRESS) == (
        "Value,Kind,Verdict,Reason,Case,DecidedBy,DecidedAt,Expires,Decision\r\n"
        "a.example,name,blocked,Beacons every five minutes,7,Rui Alves,2026-11-20T12:30:05Z,,12\r\n"
        "2001:db8::1,address,blocked,Beacons every five minutes,7,Rui Alves,"
        "2026-11-20T12:30:05Z,2027-11-20T00:00:00Z,12\r\n"
    )


def test_the_plain_text_of_a_fixed_list():
    assert written(PLAIN, ENTRY, ADDRESS) == "a.example\n2001:db8::1\n"


def test_an_empty_list_is_a_header_or_nothing():
    assert written(CSV) == "Value,Kind,Verdict,Reason,Case,DecidedBy,DecidedAt,Expires,Decision\r\n"
    assert written(PLAIN) == ""


@pytest.mark.parametrize("format", REGISTRY.values(), ids=lambda each: each.slug)
def test_unreadable_text_is_left_out_with_a_reason(format: Format):
    assert not format.covers(TEXT)
    assert format.left_out(TEXT) == "unreadable text, which nothing outside would match"
    assert "cmd" not in written(format, TEXT)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("name", "a.example\nb.example"),
        ("name", "a.example\n"),
        ("name", "*.example"),
        ("name", "a..example"),
        ("name", "A.example"),
        ("name", ""),
        ("name", "a" * 64),
        ("address", "1.2.3.4/8"),
        ("address", "1.2.3.4\n"),
        ("address", "::ffff:1.2.3.4 "),
        ("address", "0:0:0:0:0:0:0:1"),
        ("network", "10.0.0.0/8"),
    ],
)
def test_what_is_not_exactly_a_name_or_address_never_reaches_a_list(kind: str, value: str):
    for format in REGISTRY.values():
        assert not format.covers(replace(ENTRY, kind=kind, value=value))


@pytest.mark.parametrize(
    "value", ["a.example", "_ldap._tcp.corp.local", "lis-w-0114", "-odd.example", "xn--a.example"]
)
def test_names_as_they_are_observed_are_covered(value: str):
    assert PLAIN.covers(replace(ENTRY, value=value))


@pytest.mark.parametrize("reason", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "＝1"])
def test_a_reason_that_looks_like_a_formula_is_defused(reason: str):
    assert table(replace(ENTRY, reason=reason))[0]["Reason"].startswith("'")


def test_line_breaks_in_a_reason_become_spaces():
    text = written(CSV, replace(ENTRY, reason='first\r\nsecond, "third"\u2028fourth'))
    assert text.count("\r\n") == 2
    assert table(replace(ENTRY, reason="first\r\nsecond"))[0]["Reason"] == "first second"


def test_a_long_reason_keeps_the_line_within_what_sentinel_takes():
    text = written(CSV, replace(ENTRY, reason='💥"' * 5_000, decided_by="x" * 400))
    assert max(len(line.encode()) for line in text.split("\r\n")) < 10_240


@given(st.text(), st.text())
def test_any_reason_and_person_stay_one_row_of_nine_cells(reason: str, decided_by: str):
    (found,) = table(replace(ENTRY, reason=reason, decided_by=decided_by))
    assert len(found) == 9
    assert all(isinstance(cell, str) for cell in found.values())
    assert not re.match(r"[=+\-@]", found["Reason"])
    assert not re.match(r"[=+\-@]", found["DecidedBy"])


@given(st.text(max_size=80) | st.from_regex(r"[a-z0-9._:-]{1,40}", fullmatch=True))
def test_whatever_is_observed_is_covered_unless_it_is_text(raw: str):
    seen = observe("", raw)
    if not seen.is_empty:
        assert PLAIN.covers(replace(ENTRY, kind=seen.kind, value=seen.value)) == (seen.kind != "text")


def test_slugs_are_the_keys_of_the_registry():
    assert {slug: each.slug for slug, each in REGISTRY.items()} == {slug: slug for slug in REGISTRY}
