from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.lines import LINE_CAP
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import (
    pairs,
    row,
    stored,
    write_defender_csv,
    write_log_analytics_csv,
    write_text,
)

HEADER = "Timestamp,InitiatingProcessFileName,RemoteIP,RemoteUrl,ReportId\r\n"
TIME = "2026-11-02T12:00:00Z"


def line(number: int, url: str = "") -> str:
    return f"{TIME},a.exe,192.0.2.{number},{url},{number}\r\n"


def reasons(store: Store, import_id: str) -> str:
    return store.bad_lines_of(import_id).read_text(encoding="utf-8")


def test_a_log_analytics_export_is_read(store: Store, tmp_path: Path) -> None:
    export = write_log_analytics_csv(tmp_path / "x", [row(Timestamp="11/2/2026, 1:00:00.250 PM")])

    import_files(store, [export])

    [(time, key, ip, port)] = stored(store, "TimeGenerated", "FileKey", "RemoteIP", "RemotePort")
    assert (str(time), key, ip, port) == ("2026-11-02 13:00:00.250000", "a.exe", "203.0.113.7", 443)


def test_a_defender_export_is_read(store: Store, tmp_path: Path) -> None:
    export = write_defender_csv(tmp_path / "x", [row(Timestamp="Nov 2, 2026 1:00:00 PM")])

    import_files(store, [export])

    assert [str(time) for (time,) in stored(store, "TimeGenerated")] == ["2026-11-02 13:00:00"]


def test_of_two_times_the_event_s_own_counts(store: Store, tmp_path: Path) -> None:
    late = {"TimeGenerated": "2026-11-09T00:00:00Z", **row(Timestamp="2026-11-02T12:00:00Z")}

    import_files(store, [write_defender_csv(tmp_path / "x", [late])])

    assert [str(time) for (time,) in stored(store, "TimeGenerated")] == ["2026-11-02 12:00:00"]


def test_quoted_newlines_quotes_and_commas_are_kept(store: Store, tmp_path: Path) -> None:
    command = 'a.exe "x, y"\r\n\n"z"\r'
    export = write_defender_csv(tmp_path / "x", [row(InitiatingProcessCommandLine=command), row(ReportId=2)])

    summary = import_files(store, [export])

    assert (summary.new_rows, summary.bad_lines) == (2, 0)
    assert (command,) in stored(store, "InitiatingProcessCommandLine")


def test_columns_that_are_not_kept_and_columns_that_lack_make_no_difference(
    store: Store, tmp_path: Path
) -> None:
    export = write_text(tmp_path / "x", f"Colour,{HEADER}red,{line(1)}")

    import_files(store, [export])

    assert stored(store, "RemoteIP", "DeviceId", "RemotePort") == [("192.0.2.1", "", None)]


def test_empty_text_is_empty_and_never_null(store: Store, tmp_path: Path) -> None:
    export = write_text(tmp_path / "x", HEADER + f'{TIME},,"",null,1\r\n')

    import_files(store, [export])

    assert stored(store, "FileKey", "RemoteIP", "RemoteUrl", "AdditionalFields") == [("", "", "null", "")]


def test_a_nul_character_is_kept(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_text(tmp_path / "x", HEADER + line(1, "a\0b"))])

    assert pairs(store) == {("a.exe", "192.0.2.1", "a\0b")}


def test_a_line_with_too_few_cells_is_put_aside_with_its_number(store: Store, tmp_path: Path) -> None:
    export = write_text(tmp_path / "x", HEADER + line(1) + "short,line\r\n" + line(3))

    summary = import_files(store, [export])

    assert (summary.new_rows, summary.bad_lines) == (2, 1)
    assert '"line": 3, "reason": "2 cells under a header of 5", "text": "short,line"' in reasons(
        store, summary.import_id
    )


def test_bytes_that_are_no_utf8_cost_their_line_only(store: Store, tmp_path: Path) -> None:
    export = tmp_path / "x"
    export.write_bytes(HEADER.encode() + line(1, "gr\xf6\xdfe").encode("latin-1") + line(2).encode())

    summary = import_files(store, [export])

    assert pairs(store) == {("a.exe", "192.0.2.2", "")}
    assert r'"reason": "not UTF-8"' in reasons(store, summary.import_id)
    assert r"gr\\xf6\\xdfe" in reasons(store, summary.import_id)


def test_an_unclosed_quote_costs_its_line_only(store: Store, tmp_path: Path) -> None:
    export = write_text(tmp_path / "x", HEADER + line(1) + line(2, '"open') + line(3) + line(4))

    summary = import_files(store, [export])

    assert {ip for _, ip, _ in pairs(store)} == {"192.0.2.1", "192.0.2.3", "192.0.2.4"}
    assert summary.bad_lines == 1


def test_two_stray_quotes_do_not_swallow_the_lines_between(store: Store, tmp_path: Path) -> None:
    export = write_text(tmp_path / "x", HEADER + line(1, '"open') + line(2) + line(3, '"open') + line(4))

    summary = import_files(store, [export])

    assert {ip for _, ip, _ in pairs(store)} == {"192.0.2.2", "192.0.2.4"}
    assert summary.bad_lines == 2


def test_a_quote_that_is_not_closed_within_the_cap_costs_its_line_only(store: Store, tmp_path: Path) -> None:
    many = "".join(line(number % 250, "x" * 60) for number in range(LINE_CAP // 80))
    export = write_text(tmp_path / "x", HEADER + line(251, '"open') + many)

    summary = import_files(store, [export])

    assert summary.bad_lines == 1
    assert "not closed within 1 MiB" in reasons(store, summary.import_id)
    assert summary.rows_read == LINE_CAP // 80


def test_a_quote_that_is_not_closed_within_many_short_lines_costs_its_line_only(
    store: Store, tmp_path: Path
) -> None:
    export = write_text(tmp_path / "x", HEADER + line(1, '"open') + "\n" * 60_000 + line(2))

    summary = import_files(store, [export])

    assert "not closed within 50,000 lines" in reasons(store, summary.import_id)
    assert pairs(store) == {("a.exe", "192.0.2.2", "")}


def test_lines_built_to_be_read_again_and_again_are_not(store: Store, tmp_path: Path) -> None:
    # Each opens a quoted cell that no later one closes.
    hostile = 'q",",\r\n' * 150_000

    summary = import_files(store, [write_text(tmp_path / "x", HEADER + line(1) + hostile)])

    assert summary.new_rows == 1
    assert summary.bad_lines >= 1


def test_a_port_written_as_a_decimal_is_read(store: Store, tmp_path: Path) -> None:
    import_files(store, [write_defender_csv(tmp_path / "x", [row(RemotePort="443.0")])])

    assert stored(store, "RemotePort") == [(443,)]


def test_a_cell_that_cannot_be_read_is_empty_and_counted(store: Store, tmp_path: Path) -> None:
    rows = [row(RemotePort="https"), row(ReportId=2, RemotePort="99999999999"), row(ReportId=3)]

    summary = import_files(store, [write_defender_csv(tmp_path / "x", rows)])

    assert summary.unread_cells == {"RemotePort": 2}
    assert stored(store, "RemotePort") == [(443,), (None,), (None,)]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"Timestamp": ""}, "no time"),
        ({"Timestamp": "soon"}, "time: 'soon' is no time"),
        ({"Timestamp": "0001-01-01T00:00:00Z"}, "is before 1970"),
        ({"Timestamp": (datetime.now(UTC) + timedelta(days=3)).isoformat()}, "is later than tomorrow"),
        ({"Timestamp": "9999-12-31T23:59:59Z"}, "is later than tomorrow"),
        ({"ReportId": "seven"}, "ReportId: 'seven' is no whole number"),
        ({"ReportId": 2**63}, "ReportId: 9223372036854775808 does not fit 64 bits"),
    ],
)
def test_a_row_without_a_readable_identity_is_put_aside(
    store: Store, tmp_path: Path, columns: dict[str, object], reason: str
) -> None:
    summary = import_files(store, [write_defender_csv(tmp_path / "x", [row(**columns), row()])])

    assert (summary.new_rows, summary.bad_lines) == (1, 1)
    assert reason in reasons(store, summary.import_id)


def test_a_clock_that_is_a_day_fast_is_believed(store: Store, tmp_path: Path) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    assert import_files(store, [write_defender_csv(tmp_path / "x", [row(Timestamp=tomorrow)])]).new_rows == 1


def test_an_import_of_too_many_days_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hunts.telemetry.importing.MOST_DAYS", 3)
    exports = [
        write_defender_csv(tmp_path / str(n), [row(Timestamp=f"2026-11-0{n}T12:00:00Z")]) for n in range(1, 5)
    ]
    assert import_files(store, exports[:3]).days == 3

    with pytest.raises(UnreadableFile, match="4: holds, with those before it, rows of more than 3 days"):
        import_files(store, exports)


def test_days_that_retention_lets_go_at_once_count_for_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hunts.telemetry.importing.MOST_DAYS", 3)
    today = datetime.now(UTC)
    exports = [
        write_defender_csv(tmp_path / str(n), [row(Timestamp=(today - timedelta(days=n)).isoformat())])
        for n in (0, 1, 200, 201, 202)
    ]
    import_files(store, exports[:1])
    store.publish(replace(store.manifest(), keep_days=90))

    assert import_files(store, exports[1:]).new_rows == 1


def test_a_process_started_in_year_one_has_no_known_start(store: Store, tmp_path: Path) -> None:
    import_files(
        store,
        [write_defender_csv(tmp_path / "x", [row(InitiatingProcessCreationTime="0001-01-01T00:00:00Z")])],
    )

    assert stored(store, "InitiatingProcessCreationTime") == [(None,)]
