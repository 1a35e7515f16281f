from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.names import file_key
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import (
    pairs,
    row,
    write_defender_csv,
    write_json_lines,
    write_log_analytics_csv,
)

# Everything that can be written as UTF-8, and more often what separates and quotes.
texts = st.text(
    st.one_of(
        st.sampled_from("\x1e\x1f\"',;\\\r\n\t\0 \ufeff\u2028aA"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=12,
)
rows = st.lists(
    st.fixed_dictionaries(
        {"InitiatingProcessFileName": texts, "RemoteIP": texts, "RemoteUrl": texts, "AdditionalFields": texts}
    ),
    min_size=1,
    max_size=20,
)
bounded = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def numbered(given_rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [row(**columns, ReportId=number) for number, columns in enumerate(given_rows)]


def expected(given_rows: list[dict[str, str]]) -> set[tuple[str, str, str]]:
    return {
        (file_key(each["InitiatingProcessFileName"]), each["RemoteIP"], each["RemoteUrl"])
        for each in given_rows
    }


@bounded
@given(rows)
def test_what_goes_in_as_json_comes_out(given_rows: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        summary = import_files(store, [write_json_lines(Path(folder) / "x", numbered(given_rows))])

        assert (summary.bad_lines, summary.new_rows) == (0, len(given_rows))
        assert pairs(store) == expected(given_rows)


@bounded
@given(rows, st.sampled_from([write_defender_csv, write_log_analytics_csv]))
def test_what_goes_in_as_csv_comes_out(given_rows: list[dict[str, str]], write: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        summary = import_files(store, [write(Path(folder) / "x", numbered(given_rows))])

        assert (summary.bad_lines, summary.new_rows) == (0, len(given_rows))
        assert pairs(store) == expected(given_rows)


@bounded
@given(st.data())
def test_no_file_breaks_an_import(data: st.DataObject) -> None:
    """Good exports with bytes changed, cut or put in: refused, or imported with every line accounted for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        write = data.draw(st.sampled_from([write_json_lines, write_defender_csv, write_log_analytics_csv]))
        write(path, [row(ReportId=number) for number in range(6)])
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 6))):
            start = data.draw(st.integers(0, len(content)))
            end = data.draw(st.integers(start, min(start + 40, len(content))))
            content[start:end] = data.draw(
                st.one_of(st.binary(max_size=8), st.sampled_from([b'"', b"\n", b","]))
            )
        path.write_bytes(bytes(content))
        store = Store(Path(folder) / "store")
        try:
            summary = import_files(store, [path])
        except UnreadableFile:
            assert store.parquet_files() == ()
            return
        assert summary.rows_read == summary.new_rows + summary.doubles
        assert sum(store.days().values()) == summary.new_rows
