from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread, Timer

import pytest

from hunts.kql.files import AskedFile, FileKind, parse_file
from hunts.kql.footprint import CAPS, Query, footprint_queries, footprint_query, seed_query
from hunts.kql.plan import PlannedDay, plan_query, read_plan
from hunts.kql.rows import read_rows
from hunts.kql.window import Window
from hunts.sources.base import Step
from hunts.sources.errors import Interrupted, Rejected, SourceError, TimedOut, Truncated, Unavailable
from hunts.sources.local import LocalAdapter
from hunts.telemetry.names import file_key
from hunts.telemetry.store import Store
from tests.hunts.parquet import (
    ALWAYS,
    NOON,
    SECONDS,
    StoreOf,
    adapter_over,
    pairs_of_seed,
    recorded,
    rows_of,
    write_parquet,
)

EMPTY = LocalAdapter(StoreOf())
DIALECT = EMPTY.dialect
# Each row with each, five times over: of some hundred rows it takes longer than any test may.
_EACH = "DeviceNetworkEvents | extend Key = 1 | project Key, IP{number} = RemoteIP"
_WITH_EACH = "".join(
    f" | join kind=inner ({_EACH.format(number=number)}) on Key | project-away Key1" for number in range(1, 5)
)
ENDLESS = Query(f'{_EACH.format(number=0)}{_WITH_EACH} | where hash_md5(strcat(IP0, IP4)) == "" | count', ())


def question(*texts: str, window: Window = ALWAYS, part: str = "") -> Query:
    return footprint_query([parse_file(text) for text in texts], window, DIALECT, part)


def test_a_file_is_found_in_any_spelling_of_its_ascii_letters(tmp_path: Path) -> None:
    adapter = adapter_over(
        tmp_path, [recorded("SvcHost.EXE", "192.0.2.1"), recorded("other.exe", "192.0.2.2")]
    )
    (row,) = rows_of(adapter, question("svchost.exe"))
    assert (row.file, row.ip, row.events) == ("svchost.exe", "192.0.2.1", 1)


def test_a_row_without_address_and_name_is_no_answer(tmp_path: Path) -> None:
    assert rows_of(adapter_over(tmp_path, [recorded("a.exe")]), question("a.exe")) == []


def test_evidence_comes_with_the_pair(tmp_path: Path) -> None:
    columns = {
        "DeviceId": "d1",
        "DeviceName": "pc-1",
        "RemotePort": 443,
        "ActionType": "ConnectionSuccess",
        "InitiatingProcessAccountName": "rui",
        "InitiatingProcessSHA1": "ab" * 20,
        "InitiatingProcessFolderPath": "c:\\x",
        "InitiatingProcessVersionInfoCompanyName": "Contoso",
        "InitiatingProcessParentFileName": "explorer.exe",
        "InitiatingProcessCommandLine": 'a.exe "--x"',
    }
    events = [
        recorded("a.exe", "192.0.2.1", "x.example", NOON, **columns),
        recorded("a.exe", "192.0.2.1", "x.example", NOON + timedelta(hours=1), **columns | {"DeviceId": ""}),
    ]
    (row,) = rows_of(adapter_over(tmp_path, events), question("a.exe"))
    assert (row.first_seen, row.last_seen) == (NOON, NOON + timedelta(hours=1))
    assert (row.events, row.active_hours, row.devices) == (2, 2, 1)
    assert (row.device_names, row.ports, row.actions) == (["pc-1"], [443], ["ConnectionSuccess"])
    assert (row.accounts, row.hashes, row.folders) == (["rui"], ["ab" * 20], ["c:\\x"])
    assert (row.publishers, row.parents) == (["Contoso"], ["explorer.exe"])
    assert row.command_lines == ['a.exe "--x"']


@pytest.mark.parametrize("text", ["[1,2]", "[]", ' ["x"]', '{"a": [1]}', "null", "[broken", '"', "\\"])
def test_a_command_line_that_reads_like_json_is_text(tmp_path: Path, text: str) -> None:
    event = recorded(
        "a.exe", "192.0.2.1", InitiatingProcessCommandLine=text, InitiatingProcessAccountName=text
    )
    (row,) = rows_of(adapter_over(tmp_path, [event]), question("a.exe"))
    assert row.command_lines == row.accounts == [text]


def test_sets_are_cut_where_duckdb_does_not(tmp_path: Path) -> None:
    events = [recorded("a.exe", "192.0.2.1", RemotePort=port) for port in range(1, 101)]
    adapter = adapter_over(tmp_path, events)
    answer = adapter.ask(question("a.exe"), ALWAYS, timeout=SECONDS)
    (cells,) = answer.rows
    assert str(cells[answer.columns.index("Ports")]).count(",") == CAPS["ports"] + 1
    (row,) = read_rows(answer.columns, [cells])
    assert len(row.ports) == CAPS["ports"] + 1


def test_a_hash_is_asked_as_a_hash(tmp_path: Path) -> None:
    sha1, sha256 = "ab" * 20, "cd" * 32
    events = [
        recorded("a.exe", "192.0.2.1", InitiatingProcessSHA1=sha1.upper()),
        recorded("b.exe", "192.0.2.2", InitiatingProcessSHA256=sha256),
        recorded(sha1, "192.0.2.3"),
    ]
    adapter = adapter_over(tmp_path, events)
    queries = footprint_queries([parse_file(sha1), parse_file(sha256)], ALWAYS, DIALECT)
    assert {(row.file, row.ip) for row in rows_of(adapter, *queries)} == {
        (sha1, "192.0.2.1"),
        (sha256, "192.0.2.2"),
    }


def test_the_window_bounds_what_is_looked_at(tmp_path: Path) -> None:
    day = Window.days(NOON.date(), NOON.date())
    assert day.since is not None
    assert day.until is not None
    last = day.until - timedelta(microseconds=1)
    events = [
        recorded("a.exe", f"192.0.2.{number}", at=at)
        for number, at in enumerate((day.since - timedelta(microseconds=1), day.since, last, day.until))
    ]
    adapter = adapter_over(tmp_path, events)
    expected = {"192.0.2.1", "192.0.2.2"}
    assert {row.ip for row in rows_of(adapter, question("a.exe", window=day))} == expected
    assert {row.ip for row in rows_of(adapter, question("a.exe"), window=day)} == expected


def test_a_part_has_the_pairs_whose_md5_begins_so(tmp_path: Path) -> None:
    pairs = [(f"192.0.2.{number}", f"größe{number}.example") for number in range(100)]
    adapter = adapter_over(tmp_path, [recorded("a.exe", ip, dns) for ip, dns in pairs])
    digests = {
        ip: hashlib.md5(f"{ip}|{dns}".encode(), usedforsecurity=False).hexdigest() for ip, dns in pairs
    }
    for part in (digests["192.0.2.7"][0], digests["192.0.2.8"][:2]):
        expected = {ip for ip, digest in digests.items() if digest.startswith(part)}
        assert {row.ip for row in rows_of(adapter, question("a.exe", part=part))} == expected


def test_the_plan_counts_what_answers_and_what_was_recorded(tmp_path: Path) -> None:
    sha1 = "ab" * 20
    events = [
        recorded("a.exe", "192.0.2.1"),
        recorded("A.exe", "192.0.2.1"),
        recorded("a.exe", "", "x.example"),
        recorded("a.exe"),
        recorded("b.exe", "192.0.2.1", InitiatingProcessSHA1=sha1),
        recorded("b.exe", "192.0.2.1", at=NOON + timedelta(days=2)),
    ]
    adapter = adapter_over(tmp_path, events)
    query = plan_query([parse_file("a.exe"), parse_file(sha1)], ALWAYS, DIALECT)
    assert read_plan(adapter.ask(query, ALWAYS, timeout=SECONDS).rows) == [
        PlannedDay(date(2026, 11, 2), rows=4, groups=3, recorded=5),
        PlannedDay(date(2026, 11, 4), rows=0, groups=0, recorded=1),
    ]


@pytest.mark.parametrize("year", [1, 1601, 9999])
def test_a_clock_far_off_breaks_nothing(tmp_path: Path, year: int) -> None:
    at = datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    adapter = adapter_over(tmp_path, [recorded("a.exe", "192.0.2.1", at=at)])
    window = Window.days(at.date(), at.date())
    (row,) = rows_of(adapter, question("a.exe", window=window), window=window)
    assert row.day == at.date()


def test_an_empty_store_answers_with_no_rows() -> None:
    files = [parse_file("a.exe"), parse_file("ab" * 20)]
    queries = (
        seed_query("a.exe"),
        plan_query(files, ALWAYS, DIALECT),
        *footprint_queries(files, ALWAYS, DIALECT),
    )
    for query in queries:
        answer = EMPTY.ask(query, ALWAYS, timeout=SECONDS)
        assert answer.rows == []
        assert answer.columns == query.columns


def test_five_thousand_names_are_one_question(tmp_path: Path) -> None:
    names = [f'file "{number}" \\ é.exe' for number in range(5000)]
    adapter = adapter_over(tmp_path, [recorded(names[4321], "192.0.2.1"), recorded("else.exe", "192.0.2.2")])
    (row,) = rows_of(adapter, question(*names))
    assert row.file == names[4321]


def test_a_folder_with_odd_characters_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "a=b ['x'] * ? {c}"
    folder.mkdir()
    adapter = adapter_over(folder, [recorded("a.exe", "192.0.2.1")])
    assert len(rows_of(adapter, question("a.exe"))) == 1


@pytest.mark.parametrize(
    "name",
    [
        '") or 1==1 //',
        "a.exe\\",
        '\\" | take 1 //',
        "'; DROP VIEW DeviceNetworkEvents; --",
        "x') OR ('1'='1",
        "*/ or /*",
    ],
)
def test_an_injection_finds_only_itself(tmp_path: Path, name: str) -> None:
    adapter = adapter_over(tmp_path, [recorded(name, "192.0.2.1"), recorded("secret.exe", "192.0.2.2")])
    query = footprint_query([AskedFile(FileKind.NAME, name, file_key(name))], ALWAYS, DIALECT)
    assert [row.ip for row in rows_of(adapter, query)] == ["192.0.2.1"]
    assert pairs_of_seed(adapter, name) == {("192.0.2.1", "")}


@pytest.mark.parametrize(
    "text",
    [
        "['{other}'] | take 1",
        "DeviceNetworkEvents | union ['{other}']",
        ".set-or-replace DeviceNetworkEvents <| DeviceNetworkEvents | take 0",
        ".drop table DeviceNetworkEvents",
        "DeviceNetworkEvents | take 1; DeviceNetworkEvents | take 1",
        "nonsense",
        "DeviceNetworkEvents | where NoSuchColumn == 1",
        "DeviceNetworkEvents | project FileKey",
        "DeviceNetworkEvents |",
    ],
)
def test_a_query_cannot_leave_the_table(tmp_path: Path, text: str) -> None:
    other = write_parquet(tmp_path / "other.parquet", [recorded("a.exe", "192.0.2.9")])
    (tmp_path / "store").mkdir()
    adapter = adapter_over(tmp_path / "store", [recorded("a.exe", "192.0.2.1")])
    with pytest.raises(Rejected) as caught:
        adapter.ask(Query(text.replace("{other}", str(other)), ()), ALWAYS, timeout=SECONDS)
    assert caught.value.said
    assert len(rows_of(adapter, question("a.exe"))) == 1


@pytest.fixture
def busy(tmp_path: Path) -> LocalAdapter:
    return adapter_over(tmp_path, [recorded("a.exe", f"192.0.2.{number}") for number in range(200)])


def test_a_question_stops_at_its_timeout(busy: LocalAdapter) -> None:
    with pytest.raises(TimedOut, match=r"0\.3 seconds"):
        busy.ask(ENDLESS, ALWAYS, timeout=0.3)


def test_no_time_at_all_is_a_timeout() -> None:
    with pytest.raises(TimedOut):
        EMPTY.ask(question("a.exe"), ALWAYS, timeout=0)


def test_another_thread_can_interrupt(busy: LocalAdapter) -> None:
    timer = Timer(0.3, busy.interrupt)
    timer.start()
    with pytest.raises(Interrupted):
        busy.ask(ENDLESS, ALWAYS, timeout=SECONDS)
    timer.join()


def test_an_interrupt_reaches_every_question_that_is_under_way(busy: LocalAdapter) -> None:
    raised: list[SourceError] = []

    def ask() -> None:
        try:
            busy.ask(ENDLESS, ALWAYS, timeout=SECONDS)
        except SourceError as error:
            raised.append(error)

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        busy.interrupt()
        threads[0].join(0.05)
        threads[1].join(0.05)
    assert [type(error) for error in raised] == [Interrupted, Interrupted]


def test_an_interrupt_without_a_question_is_forgotten() -> None:
    EMPTY.interrupt()
    assert EMPTY.ask(question("a.exe"), ALWAYS, timeout=SECONDS).rows == []


def test_an_answer_with_too_many_rows_is_truncated_not_cut(tmp_path: Path) -> None:
    events = [recorded("a.exe", f"192.0.2.{number}") for number in range(11)]
    adapter = adapter_over(tmp_path, events, max_rows=10)
    with pytest.raises(Truncated, match="10 rows"):
        adapter.ask(question("a.exe"), ALWAYS, timeout=SECONDS)
    adapter = LocalAdapter(StoreOf(tmp_path / "events.parquet"), max_rows=11)
    assert len(rows_of(adapter, question("a.exe"))) == 11


def test_an_answer_that_needs_too_much_memory_is_truncated() -> None:
    adapter = LocalAdapter(StoreOf(), memory_limit="20MB", threads=1)
    query = Query("range x from 1 to 3000000 step 1 | summarize make_list(strcat('text', x))", ("list",))
    with pytest.raises(Truncated, match="memory"):
        adapter.ask(query, ALWAYS, timeout=SECONDS)


def test_a_missing_file_makes_the_source_unavailable(tmp_path: Path) -> None:
    adapter = LocalAdapter(StoreOf(tmp_path / "gone.parquet"))
    with pytest.raises(Unavailable) as caught:
        adapter.ask(question("a.exe"), ALWAYS, timeout=SECONDS)
    assert "gone.parquet" in caught.value.said


def test_a_damaged_file_makes_the_source_unavailable(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(Unavailable):
        LocalAdapter(StoreOf(damaged)).ask(question("a.exe"), ALWAYS, timeout=SECONDS)


def test_a_damaged_store_makes_the_source_unavailable(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    adapter = LocalAdapter(Store(tmp_path))
    with pytest.raises(Unavailable):
        adapter.ask(question("a.exe"), ALWAYS, timeout=SECONDS)
    probe = adapter.probe()
    assert not probe.passed
    assert probe.checks[0].step is Step.REACHED


def test_a_probe_tells_how_far_the_telemetry_reaches(tmp_path: Path) -> None:
    probe = adapter_over(tmp_path, [recorded("a.exe", "192.0.2.1")]).probe()
    assert probe.passed
    assert probe.newest == NOON


def test_a_probe_of_an_empty_store_says_what_to_do() -> None:
    probe = EMPTY.probe()
    assert not probe.passed
    assert probe.checks[-1].advice == "Import an export."


def test_an_answer_says_what_it_took(tmp_path: Path) -> None:
    adapter = adapter_over(tmp_path, [recorded("a.exe", "192.0.2.1")])
    answer = adapter.ask(question("a.exe"), ALWAYS, timeout=SECONDS)
    assert answer.partial is None
    assert answer.bytes > 0
    assert answer.seconds > 0
