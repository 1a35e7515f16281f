from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.lines import LINE_CAP
from hunts.telemetry.readers.parquet_rows import pieces
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import bad_lines, stored

ROW = (
    "TIMESTAMP '2026-11-02 12:00:00.123456' AS Timestamp, 'A.exe' AS InitiatingProcessFileName,"
    " '192.0.2.1' AS RemoteIP"
)


def parquet(path: Path, select: str, compression: str = "snappy") -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION {compression})")
    return path


def test_rows_are_read_with_their_types(store: Store, tmp_path: Path) -> None:
    export = parquet(
        tmp_path / "x.csv",
        f"SELECT {ROW}, 'd1' AS DeviceId, 443::BIGINT AS RemotePort, 7::UBIGINT AS ReportId, 1 AS Other,"
        " true AS IsInitiatingProcessRemoteSession, {'a': 1} AS AdditionalFields, NULL::VARCHAR AS RemoteUrl",
    )

    summary = import_files(store, [export])

    assert stored(
        store, "TimeGenerated::VARCHAR", "FileKey", "RemoteIP", "RemotePort",
        "IsInitiatingProcessRemoteSession", "AdditionalFields", "RemoteUrl", "ReportId", "LocalIP",
    ) == [("2026-11-02 12:00:00.123456", "a.exe", "192.0.2.1", 443, True, '{"a":1}', "", 7, "")]  # fmt: skip
    assert summary.bad_lines == 0


@pytest.mark.parametrize(
    "time",
    ["TIMESTAMPTZ '2026-11-02 14:00:00+02'", "TIMESTAMP_NS '2026-11-02 12:00:00'", "'2026-11-02T12:00:00Z'"],
)
def test_times_of_every_kind_are_read(store: Store, tmp_path: Path, time: str) -> None:
    rows = f"SELECT {time} AS TimeGenerated, 'a' AS InitiatingProcessFileName, 'x.test' AS RemoteUrl"

    import_files(store, [parquet(tmp_path / "x", rows)])

    assert stored(store, "TimeGenerated::VARCHAR") == [("2026-11-02 12:00:00",)]


def test_a_packed_file_is_read(store: Store, tmp_path: Path) -> None:
    packed = tmp_path / "x.gz"
    packed.write_bytes(gzip.compress(parquet(tmp_path / "x", f"SELECT {ROW}").read_bytes()))

    assert import_files(store, [packed]).new_rows == 1


def test_a_row_without_a_time_is_put_aside_with_its_number(store: Store, tmp_path: Path) -> None:
    export = parquet(
        tmp_path / "x", f"SELECT {ROW} UNION ALL BY NAME SELECT 'b' AS InitiatingProcessFileName ORDER BY 1"
    )

    summary = import_files(store, [export])

    assert (summary.new_rows, summary.bad_lines) == (1, 1)
    assert bad_lines(store, summary)[0]["line"] == 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_other_parquet_is_refused(store: Store, tmp_path: Path, pack: type[bytes]) -> None:
    other = tmp_path / "other"
    other.write_bytes(pack(parquet(tmp_path / "x", "SELECT 1 AS a").read_bytes()))

    with pytest.raises(UnreadableFile, match="there is no column InitiatingProcessFileName"):
        import_files(store, [other])


def test_damaged_parquet_is_refused(store: Store, tmp_path: Path) -> None:
    export = parquet(tmp_path / "x", f"SELECT {ROW}")
    export.write_bytes(export.read_bytes()[:-40])

    with pytest.raises(UnreadableFile, match="damaged Parquet"):
        import_files(store, [export])


def test_many_rows_out_of_few_bytes_are_refused(store: Store, tmp_path: Path) -> None:
    export = parquet(tmp_path / "x", f"SELECT {ROW} FROM range(2_000_000)")

    with pytest.raises(UnreadableFile, match="unpacks to 2,000,000 rows"):
        import_files(store, [export])


def test_long_cells_that_the_file_holds_once_are_refused(store: Store, tmp_path: Path) -> None:
    """Some ten kilobytes on the disk, and neither page nor directory says what becomes of them."""
    cell = "repeat('A', 1_000_000) AS InitiatingProcessCommandLine"
    export = parquet(tmp_path / "x", f"SELECT {ROW}, {cell} FROM range(3_000)")

    with pytest.raises(UnreadableFile, match="unpacks to more than 67,108,864 bytes"):
        import_files(store, [export])


def test_a_file_whose_pages_unpack_to_too_much_is_refused(store: Store, tmp_path: Path) -> None:
    cell = "repeat('A', 100_000_000) AS InitiatingProcessCommandLine"
    export = parquet(tmp_path / "x", f"SELECT {ROW}, {cell}", "zstd")

    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        import_files(store, [export])


def test_a_row_that_is_too_long_is_put_aside(store: Store, tmp_path: Path) -> None:
    cell = "CASE i WHEN 1 THEN repeat('A', 2_000_000) ELSE 'short' END AS InitiatingProcessCommandLine"
    export = parquet(tmp_path / "x", f"SELECT {ROW}, i AS ReportId, {cell} FROM range(3) t(i)")

    summary = import_files(store, [export])

    assert stored(store, "ReportId") == [(0,), (2,)]
    [line] = bad_lines(store, summary)
    assert (line["line"], line["reason"]) == (2, "longer than 1 MiB")


def test_rows_of_half_a_mebibyte_are_all_read(store: Store, tmp_path: Path) -> None:
    cell = "repeat(chr(65 + i::INTEGER % 3), 500_000) AS InitiatingProcessCommandLine"
    export = parquet(tmp_path / "x", f"SELECT {ROW}, i AS ReportId, {cell} FROM range(100) t(i)")

    import_files(store, [export])

    assert sorted(stored(store, "ReportId", "InitiatingProcessCommandLine[1]")) == [
        (number, "ABC"[number % 3]) for number in range(100)
    ]


@pytest.mark.parametrize(
    "name",
    ["CASE i WHEN 4 THEN '\\xE9'::BLOB ELSE 'a'::BLOB END", "CASE i WHEN 4 THEN 'caf+ ZYXWV' ELSE 'a' END"],
)
def test_a_row_that_is_not_utf8_is_put_aside(store: Store, tmp_path: Path, name: str) -> None:
    rows = f"TIMESTAMP '2026-11-02 12:00:00' AS Timestamp, {name} AS InitiatingProcessFileName, i AS ReportId"
    export = parquet(tmp_path / "x", f"SELECT {rows}, '192.0.2.1' AS RemoteIP FROM range(10) t(i)")
    export.write_bytes(export.read_bytes().replace(b"caf+ ZYXWV", b"caf\xe9 ZYXWV"))

    summary = import_files(store, [export])

    assert sorted(stored(store, "ReportId")) == [(number,) for number in range(10) if number != 4]
    [line] = bad_lines(store, summary)
    assert (line["line"], line["reason"]) == (5, "not UTF-8")


def test_an_empty_time_leaves_the_other_one(store: Store, tmp_path: Path) -> None:
    rows = "'' AS Timestamp, '2026-11-02T12:00:00Z' AS TimeGenerated, 'a' AS InitiatingProcessFileName"

    import_files(store, [parquet(tmp_path / "x", f"SELECT {rows}, 'x.test' AS RemoteUrl")])

    assert stored(store, "TimeGenerated::VARCHAR") == [("2026-11-02 12:00:00",)]


def test_what_is_damaged_inside_costs_its_part_of_the_file(store: Store, tmp_path: Path) -> None:
    """Two groups of rows; the bytes of the first one's names are damaged."""
    rows = f"SELECT {ROW}, i AS ReportId, 'd' || hash(i) AS DeviceId FROM range(204_800) t(i)"
    export = tmp_path / "x"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({rows}) TO '{export}' (FORMAT parquet, ROW_GROUP_SIZE 102_400)")
        [(place,)] = connection.execute(
            f"SELECT data_page_offset FROM parquet_metadata('{export}')"
            " WHERE row_group_id = 0 AND path_in_schema = 'DeviceId'"
        ).fetchall()
    data = bytearray(export.read_bytes())
    data[place : place + 1000] = bytes(1000)
    export.write_bytes(data)

    summary = import_files(store, [export])

    assert summary.new_rows == 102_400
    [line] = bad_lines(store, summary)
    assert (line["line"], "rows 1 to 102400 cannot be read" in str(line["reason"])) == (1, True)


def test_a_column_twice_is_refused(store: Store, tmp_path: Path) -> None:
    export = parquet(tmp_path / "x", f"SELECT {ROW}, '192.0.2.2' AS RemoteI2")
    export.write_bytes(export.read_bytes().replace(b"RemoteI2", b"RemoteIP"))

    with pytest.raises(UnreadableFile, match="column RemoteIP is there twice"):
        import_files(store, [export])


@given(st.lists(st.sampled_from([0, 100, 9_000, LINE_CAP, LINE_CAP + 1]), max_size=80))
def test_pieces_hold_every_row_that_is_not_too_long(runs: list[int]) -> None:
    lengths = [length for length in runs for _ in range(100)]

    read = list(pieces(lengths))

    places = [place for piece in read for place in piece]
    assert places == [place for place, length in enumerate(lengths) if length <= LINE_CAP]
    for piece in read:
        vectors = (piece[start : start + 1_024] for start in range(0, len(piece), 1_024))
        assert all(sum(lengths[place] for place in vector) <= 32 * LINE_CAP for vector in vectors)
