from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import bad_lines, stored

ROW = (
    "TIMESTAMP '2026-11-02 12:00:00.123456' AS Timestamp, 'A.exe' AS InitiatingProcessFileName,"
    " '192.0.2.1' AS RemoteIP"
)


def parquet(path: Path, select: str) -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
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
