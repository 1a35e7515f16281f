from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.hunts.telemetry.exports import json_line, row

CHECKOUT = Path(__file__).parents[3]
MIB = 1024 * 1024
LINE_MIB = 50


def import_elsewhere(tmp_path: Path, export: Path) -> tuple[int, int, int]:
    """Peak memory in KiB, new rows, bad lines."""
    command = [
        sys.executable,
        "-m",
        "tests.hunts.telemetry.peak_memory",
        str(tmp_path / "store"),
        str(export),
    ]
    said = subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=120
    ).stdout
    peak, rows, bad_lines = map(int, said.split())
    return peak, rows, bad_lines


def write_with_a_long_line(path: Path, start: bytes, line: bytes, filler: bytes) -> None:
    def long_line(file: BinaryIO) -> None:
        file.writelines(filler * (MIB // len(filler)) for _ in range(LINE_MIB))

    with path.open("wb") as file:
        file.write(start + line)
        long_line(file)
        file.write(b"\n" + line.replace(b"192.0.2.1", b"192.0.2.2"))


def json_start() -> tuple[bytes, bytes, bytes]:
    return b"", json_line(row(RemoteIP="192.0.2.1", ReportId=None)).encode() + b"\n", b'{"a":"bc"},'


def csv_start() -> tuple[bytes, bytes, bytes]:
    header = b"Timestamp,InitiatingProcessFileName,RemoteIP\n"
    return header, b"2026-11-02T12:00:00Z,a.exe,192.0.2.1\n", b'"x,y",'


@pytest.mark.parametrize("shape", [json_start, csv_start])
def test_a_line_of_50_mib_is_put_aside_in_bounded_memory(
    tmp_path: Path, shape: Callable[[], tuple[bytes, bytes, bytes]]
) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    start, line, filler = shape()
    short.write_bytes(start + line)
    write_with_a_long_line(long, start, line, filler)
    least, *_ = import_elsewhere(tmp_path / "a", short)

    peak, rows, bad_lines = import_elsewhere(tmp_path / "b", long)

    assert (rows, bad_lines) == (2, 1)
    assert peak - least < LINE_MIB * MIB // 1024 // 3


def test_an_event_of_50_mib_in_a_document_is_put_aside_in_bounded_memory(tmp_path: Path) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    first, last = (json_line(row(RemoteIP=f"192.0.2.{number}", ReportId=None)).encode() for number in (1, 2))
    short.write_bytes(b"[" + first + b"]")
    with long.open("wb") as file:
        file.write(b"[" + first + b', {"a": [')
        file.writelines(b'"a[","bc",' * (MIB // 10) for _ in range(LINE_MIB))
        file.write(b'""]}, ' + last + b"]")
    least, *_ = import_elsewhere(tmp_path / "a", short)

    peak, rows, bad_lines = import_elsewhere(tmp_path / "b", long)

    assert (rows, bad_lines) == (2, 1)
    assert peak - least < LINE_MIB * MIB // 1024 // 3
