"""Every reader against files that were damaged in every way: refused, or imported with every line accounted
for; never another error, never half an import."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.lines import LineSource
from hunts.telemetry.readers.base import BadLine
from hunts.telemetry.readers.json_pieces import pieces_of_document
from hunts.telemetry.store import Store
from tests.hunts.telemetry.evtx_bytes import event_log, sysmon_event
from tests.hunts.telemetry.exports import (
    json_line,
    row,
    write_defender_csv,
    write_log_analytics_csv,
)
from tests.hunts.telemetry.test_sysmon import FORMS, IN, LOOK_UP, OUT

ROWS = [row(ReportId=number) for number in range(6)]
ENVELOPES = [json.loads(json_line(each)) for each in ROWS]


def as_csv(write: Callable[[Path, list[dict[str, Any]]], Path]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write(Path(folder) / "x", ROWS).read_bytes()


def as_parquet() -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        (Path(folder) / "x.json").write_text("\n".join(map(json.dumps, ROWS)))
        connection.execute(f"COPY (FROM '{folder}/x.json') TO '{folder}/x.parquet'")
        return (Path(folder) / "x.parquet").read_bytes()


def as_zip(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/x", content)
        archive.writestr("y", content)
    return out.getvalue()


LINES = "\n".join(map(json.dumps, ENVELOPES)).encode()
EXPORTS = {
    "Defender CSV": as_csv(write_defender_csv),
    "Log Analytics CSV": as_csv(write_log_analytics_csv),
    "JSON lines": LINES,
    "records": json.dumps({"records": ENVELOPES}, indent=1).encode(),
    "body": "\n".join(json.dumps({"body": each}) for each in ENVELOPES).encode(),
    "flat": "\n".join(json.dumps({"category": "DeviceNetworkEvents"} | each) for each in ROWS).encode(),
    "Graph": json.dumps({"schema": [{"name": "Timestamp"}], "results": ROWS}).encode(),
    **{
        form.__name__: "\n".join(json.dumps(form(*of)) for of in ((3, OUT), (3, IN), (22, LOOK_UP))).encode()
        for form in FORMS
    },
    "event log": event_log([sysmon_event(3, 1, **OUT), sysmon_event(22, 2, **LOOK_UP)])[: 4096 + 8192],
    "Parquet": as_parquet(),
    "gzip": gzip.compress(LINES),
    "zip": as_zip(LINES),
}
PIECES = [
    b'"',
    b"\n",
    b",",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\",
    b"\0",
    b"\xff",
    b"null",
    b"1e999",
    b'{"body":',
    b"\r\n\r\n",
]


def damaged(draw: Callable[[st.SearchStrategy[Any]], Any], content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(changed)))
        end = draw(st.integers(start, min(start + 40, len(changed))))
        changed[start:end] = draw(st.one_of(st.binary(max_size=8), st.sampled_from(PIECES)))
    return bytes(changed)


@pytest.mark.parametrize("shape", EXPORTS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_damage_breaks_an_import(shape: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(damaged(data.draw, EXPORTS[shape]))
        store = Store(Path(folder) / "store", grace=timedelta(0))
        try:
            summary = import_files(store, [path])
        except UnreadableFile:
            assert (store.parquet_files(), store.imports()) == ((), ())
            return
        assert summary.rows_read == summary.new_rows + summary.doubles
        assert sum(store.days().values()) == summary.new_rows
        kept = store.bad_lines_of(summary.import_id).read_text().splitlines() if summary.bad_lines else []
        assert len(kept) == summary.bad_lines


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(['"', "\\{]\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
objects = st.dictionaries(
    st.text(max_size=4).filter(lambda key: key not in ("body", "value")), json_values, max_size=4
)


class Dripping(io.BytesIO):
    """Gives a few bytes at a time, so that every token is cut somewhere."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(3)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(objects, max_size=5), st.sampled_from([None, 2]), st.sampled_from(["list", "records", "behind"])
)
def test_the_pieces_of_a_document_are_its_objects(
    given_objects: list[dict[str, Any]], indent: int | None, form: str
) -> None:
    if form == "behind":
        text = "\n".join(json.dumps(each, indent=indent) for each in given_objects)
    else:
        whole: object = (
            given_objects if form == "list" else {"a": [{"b": 1}], "records": given_objects, "c": [{}]}
        )
        text = json.dumps(whole, indent=indent)

    pieces = list(pieces_of_document(LineSource(Dripping(text.encode()))))

    assert not [piece for piece in pieces if isinstance(piece, BadLine)]
    assert [json.loads(piece.data) for piece in pieces] == given_objects


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(st.binary(max_size=6), st.sampled_from(PIECES), st.just(b'{"a":"b"}')), max_size=30)
)
def test_no_bytes_break_the_search_for_pieces(parts: list[bytes]) -> None:
    content = b"".join(parts)
    for piece in pieces_of_document(LineSource(Dripping(content))):
        data = piece.data
        assert isinstance(piece, BadLine) or data in content.removeprefix(b"\xef\xbb\xbf")
        assert 1 <= piece.number <= content.count(b"\n") + 1
