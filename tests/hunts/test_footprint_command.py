from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from hunts.adapters import store_of
from hunts.models import Source
from tests.hunts.telemetry_lines import Event, event

pytestmark = pytest.mark.django_db

MakeSource = Callable[[Iterable[Event]], Source]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = datetime(2026, 11, 24, 8, tzinfo=UTC)
EVENTS = [
    event("Sync.exe", NOON, "192.0.2.1", "CDN.example."),
    event("sync.exe", NOON.replace(day=20), "192.0.2.1", "cdn.example", RemotePort=80),
    event("sync.exe", NOON.replace(day=20), "::ffff:192.0.2.7", "", InitiatingProcessCommandLine="sync, now"),
    event("sync.exe", NOON.replace(day=24), "-", ""),
    event("other.exe", NOON, "192.0.2.9", ""),
]


def footprint(*words: str) -> str:
    out = StringIO()
    call_command("footprint", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def failure(*words: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        footprint(*words)
    return caught.value


@pytest.fixture
def source(make_source: MakeSource) -> str:
    return make_source(EVENTS).slug


def test_raw_csv_is_the_answer_of_the_public_query(source: str) -> None:
    assert footprint("SYNC.exe", "--source", source, "--raw", "--format", "csv") == (
        "IP,DNS\n-,\n192.0.2.1,CDN.example.\n192.0.2.1,cdn.example\n::ffff:192.0.2.7,\n"
    )


def test_pairs_are_normalised_and_what_is_empty_then_is_left_out(source: str) -> None:
    assert footprint("sync.exe", "--source", source, "--format", "csv") == (
        "IP,DNS\n192.0.2.1,cdn.example\n192.0.2.7,\n"
    )


def test_several_names_are_one_question(source: str) -> None:
    answer = footprint("sync.exe", "other.exe", "SYNC.EXE", "--source", source, "--format", "csv")
    assert answer == "IP,DNS\n192.0.2.1,cdn.example\n192.0.2.7,\n192.0.2.9,\n"


def test_a_table_in_a_file_has_plain_columns_of_full_width(make_source: MakeSource) -> None:
    long = "x" * 180 + ".example"
    slug = make_source(
        [event("a.exe", NOON, "192.0.2.1", long), event("a.exe", NOON, "192.0.2.20", "[b]")]
    ).slug
    assert footprint("a.exe", "--source", slug, "--raw").splitlines() == [
        "IP          DNS",
        f"192.0.2.1   {long}",
        "192.0.2.20  [b]",
    ]


def test_a_table_does_not_let_the_recorded_steer_the_terminal(make_source: MakeSource) -> None:
    slug = make_source([event("a.exe", NOON, "", "\x1b[2Jx\u202ey")]).slug
    assert footprint("a.exe", "--source", slug, "--raw").splitlines()[1].strip() == r"\x1b[2Jx\u202ey"


def test_json_is_one_array(source: str) -> None:
    assert json.loads(footprint("sync.exe", "--source", source, "--format", "json")) == [
        {"IP": "192.0.2.1", "DNS": "cdn.example"},
        {"IP": "192.0.2.7", "DNS": ""},
    ]


def test_detail_adds_the_evidence(source: str) -> None:
    first, second = json.loads(footprint("sync.exe", "--source", source, "--format", "json", "--detail"))
    assert first == {
        "File": "sync.exe",
        "IP": "192.0.2.1",
        "DNS": "cdn.example",
        "FirstSeen": "2026-11-02T12:00:00Z",
        "LastSeen": "2026-11-20T12:00:00Z",
        "Events": 2,
        "ActiveHours": 2,
        "Days": 2,
        "Devices": 1,
        "DeviceNames": ["lis-w-0001"],
        "Ports": [80, 443],
        "Actions": ["ConnectionSuccess"],
        "Accounts": [],
        "Hashes": [],
        "Folders": [],
        "Publishers": [],
        "Parents": [],
        "CommandLines": [],
        "More": [],
    }
    assert second["CommandLines"] == ["sync, now"]


def test_detail_in_csv_has_lists_as_json(source: str) -> None:
    rows = list(
        csv.DictReader(StringIO(footprint("sync.exe", "--source", source, "--format", "csv", "--detail")))
    )
    assert json.loads(rows[0]["Ports"]) == [80, 443]
    assert json.loads(rows[1]["CommandLines"]) == ["sync, now"]


def test_detail_as_a_table_has_a_line_for_everything_known(source: str) -> None:
    card = footprint("other.exe", "--source", source, "--detail")
    assert "DeviceNames   lis-w-0001\n" in card
    assert "Accounts" not in card


def test_detail_says_which_sets_hold_more(make_source: MakeSource) -> None:
    slug = make_source([event("a.exe", NOON, "192.0.2.1", RemotePort=port) for port in range(1, 40)]).slug
    (pair,) = json.loads(footprint("a.exe", "--source", slug, "--format", "json", "--detail"))
    assert len(pair["Ports"]) == 25
    assert pair["More"] == ["Ports"]


def test_names_keep_files_apart_in_detail(source: str) -> None:
    rows = json.loads(footprint("other.exe", "sync.exe", "--source", source, "--format", "json", "--detail"))
    assert [row["File"] for row in rows] == ["other.exe", "sync.exe", "sync.exe"]


def test_a_formula_is_defused_unless_raw(make_source: MakeSource) -> None:
    slug = make_source([event("a.exe", NOON, "", "=cmd|' /C calc'!A0")]).slug
    plain = list(csv.reader(StringIO(footprint("a.exe", "--source", slug, "--format", "csv"))))
    raw = list(csv.reader(StringIO(footprint("a.exe", "--source", slug, "--format", "csv", "--raw"))))
    assert plain[1][1].startswith("'=")
    assert raw[1] == ["", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("name", ["a,b", 'a"b', "a\nb", "a\rb", "a\r\nb", " a ", "größe.example"])
def test_csv_comes_back_as_recorded(make_source: MakeSource, name: str) -> None:
    slug = make_source([event("a.exe", NOON, "192.0.2.1", name)]).slug
    answer = footprint("a.exe", "--source", slug, "--raw", "--format", "csv")
    assert list(csv.reader(StringIO(answer, newline=""))) == [["IP", "DNS"], ["192.0.2.1", name]]


def test_a_file_with_a_quote_and_a_backslash_is_found(make_source: MakeSource) -> None:
    slug = make_source([event('we"ird\\$ name', NOON, "192.0.2.1"), event("else", NOON, "192.0.2.2")]).slug
    assert footprint('WE"ird\\$ name', "--source", slug, "--format", "csv") == "IP,DNS\n192.0.2.1,\n"


def test_a_hash_is_asked_as_a_hash(make_source: MakeSource) -> None:
    slug = make_source([event("a.exe", NOON, "192.0.2.1", InitiatingProcessSHA1="AB" * 20)]).slug
    assert footprint("ab" * 20, "--source", slug, "--format", "csv") == "IP,DNS\n192.0.2.1,\n"


def test_nothing_found_is_a_result(source: str) -> None:
    assert footprint("absent.exe", "--source", source, "--format", "csv") == "IP,DNS\n"
    assert json.loads(footprint("absent.exe", "--source", source, "--format", "json")) == []
    assert footprint("absent.exe", "--source", source) == "IP  DNS\n"


@pytest.mark.parametrize(
    ("since", "until", "addresses"),
    [
        ("5d", None, ["::ffff:192.0.2.7", "192.0.2.1", "-"]),
        ("4d", None, ["-"]),
        ("2026-11-20", "2026-11-20", ["::ffff:192.0.2.7", "192.0.2.1"]),
        (None, "2026-11-02", ["192.0.2.1"]),
        ("2026-11-21", "2026-11-23", []),
        (None, "9999-12-31", ["::ffff:192.0.2.7", "192.0.2.1", "-"]),
    ],
)
def test_days_are_whole_and_included(
    make_source: MakeSource, since: str | None, until: str | None, addresses: list[str]
) -> None:
    source = make_source(EVENTS)
    words = [*(["--since", since] if since else []), *(["--until", until] if until else [])]
    with time_machine.travel(TODAY, tick=False):
        answer = footprint("sync.exe", "--source", source.slug, "--raw", "--format", "json", *words)
    assert {row["IP"] for row in json.loads(answer)} == set(addresses)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["", "--source", "local"], "Give a file name"),
        (["x" * 1_000_000], "1,000,000 characters"),
        (["C:\\Windows\\a.exe"], "Give the file name alone: a.exe"),
        (["a\nb"], "control character"),
        (["a.exe", "--source", "nowhere"], "no source 'nowhere'. Known sources: local"),
        (["a.exe", "--since", "2026-11-25"], "in the future"),
        (["a.exe", "--since", "2026-11-20", "--until", "2026-11-19"], "after --until"),
        (["a.exe", "--since", "yesterday"], "write 30d or 2026-11-24"),
        (["a.exe", "--since", "0d"], "no number of days"),
        (["a.exe", "--since", "999999d"], "no number of days"),
        (["a.exe", "--until", "30d"], "write 2026-11-24"),
        (["a.exe", "--until", "2026-02-30"], "not a day"),
    ],
)
def test_bad_input_is_named_and_ends_with_2(words: list[str], said: str) -> None:
    with time_machine.travel(TODAY, tick=False):
        error = failure(*words)
    assert said in str(error)
    assert error.returncode == 2
    assert len(str(error)) < 250


def test_a_source_that_fails_is_one_sentence_and_ends_with_3(make_source: MakeSource) -> None:
    source = make_source(EVENTS)
    for file in store_of(source).parquet_files():
        file.unlink()
    error = failure("sync.exe", "--source", source.slug)
    assert error.returncode == 3
    assert str(error).startswith(f"{source.slug}: The imported telemetry cannot be read.")
    assert "\n" not in str(error)
