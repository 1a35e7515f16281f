from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hunts.telemetry.errors import UnreadableFile
from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store
from hunts.telemetry.unpacking import Limits
from tests.hunts.telemetry.evtx_bytes import event_log, sysmon_event
from tests.hunts.telemetry.exports import bad_lines, json_line, pairs, row, write_json_lines
from tests.hunts.telemetry.test_sysmon import OUT

LINES = "".join(json_line(row(ReportId=number, RemoteIP=f"192.0.2.{number}")) + "\n" for number in range(200))


def zipped(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def gzipped(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def refusal(store: Store, path: Path, limits: Limits | None = None) -> str:
    with pytest.raises(UnreadableFile) as caught:
        import_files(store, [path], limits=limits)
    assert store.parquet_files() == ()
    assert not list(store.staging_folder.glob("*"))
    return str(caught.value)


def test_a_gzip_file_is_read_whatever_its_name(store: Store, tmp_path: Path) -> None:
    assert import_files(store, [gzipped(tmp_path / "x.csv", LINES.encode())]).new_rows == 200


def test_gzip_files_behind_each_other_and_zeros_are_read(store: Store, tmp_path: Path) -> None:
    first, second = LINES[: len(LINES) // 2].encode(), LINES[len(LINES) // 2 :].encode()
    export = tmp_path / "x"
    export.write_bytes(gzip.compress(first) + gzip.compress(second) + bytes(1000))

    summary = import_files(store, [export])

    assert (summary.new_rows, summary.bad_lines) == (200, 0)


def test_a_zip_file_is_read_file_by_file(store: Store, tmp_path: Path) -> None:
    table = b"Timestamp,InitiatingProcessFileName,RemoteIP\n2026-11-02T12:00:00Z,b.exe,192.0.2.1\n"
    log = event_log([sysmon_event(3, 7, **OUT)])
    names = {
        "a/x.jsonl": LINES.encode(),
        "b.csv": table,
        "c.evtx": log,
        "__MACOSX/a/._x": b"?",
        "a/.DS_Store": b"?",
    }

    summary = import_files(store, [zipped(tmp_path / "x", names)])

    assert (summary.files, summary.new_rows, summary.bad_lines) == (3, 202, 0)
    assert {name for name, *_ in pairs(store)} == {"a.exe", "b.exe"}


def test_a_folder_is_read_with_what_is_in_it(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    write_json_lines(folder / "a", [row()])
    gzipped(folder / "deep" / "b.gz", json_line(row(ReportId=2)).encode())
    zipped(folder / "deep" / "c.zip", {"c": json_line(row(ReportId=3)).encode()})
    (folder / ".hidden").write_text("nothing")
    (folder / "loop").symlink_to(folder)

    summary = import_files(store, [folder])

    assert (summary.files, summary.new_rows) == (3, 3)


def test_bad_lines_name_the_file_in_the_archive(store: Store, tmp_path: Path) -> None:
    export = zipped(tmp_path / "may.zip", {"a/x.jsonl": f"{LINES}oops\n".encode()})

    summary = import_files(store, [export])

    assert [(bad["file"], bad["line"]) for bad in bad_lines(store, summary)] == [("may.zip/a/x.jsonl", 201)]


def test_of_a_gzip_file_that_ends_in_the_middle_the_whole_lines_are_kept(
    store: Store, tmp_path: Path
) -> None:
    content = gzip.compress(LINES.encode())
    export = tmp_path / "x.gz"
    export.write_bytes(content[: len(content) * 3 // 4])

    summary = import_files(store, [export])

    assert 100 < summary.new_rows < 200
    [bad] = bad_lines(store, summary)
    assert (bad["line"], bad["reason"]) == (summary.new_rows + 1, "the gzip file ends in the middle")


def test_a_damaged_gzip_file_gives_what_came_before_and_says_so(store: Store, tmp_path: Path) -> None:
    content = bytearray(gzip.compress(LINES.encode()))
    content[-6] ^= 0xFF
    export = tmp_path / "x.gz"
    export.write_bytes(bytes(content))

    summary = import_files(store, [export])

    # The last line break is lost, and without it nobody knows whether that line is whole.
    assert summary.new_rows == 199
    assert "incorrect data check" in bad_lines(store, summary)[-1]["reason"]


def test_a_damaged_file_in_a_zip_says_so(store: Store, tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "x", {"a": LINES.encode()}).read_bytes())
    content[len(content) // 2] ^= 0xFF
    export = tmp_path / "x.zip"
    export.write_bytes(bytes(content))

    summary = import_files(store, [export])

    assert "the zip file is damaged" in bad_lines(store, summary)[-1]["reason"]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "..\\x", "C:\\x"])
def test_an_archive_with_a_name_that_points_outside_is_refused(
    store: Store, tmp_path: Path, name: str
) -> None:
    export = zipped(tmp_path / "x.zip", {"good": LINES.encode(), name: LINES.encode()})

    assert "points outside the archive" in refusal(store, export)


def packed_twice(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x", content)
    return out.getvalue()


def tarred(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("x")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("inner", [gzip.compress, packed_twice, bz2.compress, tarred])
@pytest.mark.parametrize("outer", [gzip.compress, packed_twice])
def test_an_archive_in_an_archive_is_refused(
    store: Store, tmp_path: Path, inner: type[bytes], outer: type[bytes]
) -> None:
    export = tmp_path / "x"
    export.write_bytes(outer(inner(LINES.encode())))

    assert "unpack it" in refusal(store, export)


@pytest.mark.parametrize(("pack", "said"), [(bz2.compress, "bzip2"), (tarred, "tar archive")])
def test_other_archives_are_refused_with_the_way_out(
    store: Store, tmp_path: Path, pack: type[bytes], said: str
) -> None:
    export = tmp_path / "x"
    export.write_bytes(pack(LINES.encode()))

    assert said in refusal(store, export)


@pytest.mark.parametrize("kind", ["gzip", "zip"])
def test_an_archive_that_unpacks_to_too_much_is_refused_and_nothing_goes_in(
    store: Store, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hunts.telemetry.unpacking._ALWAYS_FINE", 1_000)
    bomb = LINES.encode() + (json_line(row()) + "\n").encode() * 20_000
    export = gzipped(tmp_path / "x", bomb) if kind == "gzip" else zipped(tmp_path / "x", {"a": bomb})

    assert "unpacks to" in refusal(store, export, Limits(ratio=50))


def test_the_size_of_all_that_is_unpacked_is_bounded(store: Store, tmp_path: Path) -> None:
    export = zipped(tmp_path / "x", {str(number): LINES.encode() for number in range(3)})

    assert "unpacks to" in refusal(store, export, Limits(unpacked_bytes=2 * len(LINES)))


def test_an_archive_or_folder_with_too_many_files_is_refused(store: Store, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "x", {str(number): LINES.encode() for number in range(4)})
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(4):
        (folder / str(number)).write_text(LINES)

    assert "holds 4 files; 3 are read at most" in refusal(store, archive, Limits(entries=3))
    assert "holds more than 3 files" in refusal(store, folder, Limits(entries=3))


DIRECTORY_END = b"PK\x05\x06"


def claim_one_file(data: bytes) -> bytes:
    place = data.rfind(DIRECTORY_END) + 8
    return data[:place] + struct.pack("<2H", 1, 1) + data[place + 4 :]


def add_a_large_end_in_the_comment(data: bytes) -> bytes:
    """A place where nobody looks for it says: one file."""
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 46, 0)
    return data[:-2] + struct.pack("<H", len(end)) + end


@pytest.mark.parametrize("lie", [claim_one_file, add_a_large_end_in_the_comment])
def test_files_are_counted_whatever_the_archive_says(
    store: Store, tmp_path: Path, lie: Callable[[bytes], bytes]
) -> None:
    archive = zipped(tmp_path / "x", {str(number): LINES.encode() for number in range(4)})
    archive.write_bytes(lie(archive.read_bytes()))

    assert "holds 4 files; 3 are read at most" in refusal(store, archive, Limits(entries=3))


@pytest.mark.parametrize("lie", [bytes, add_a_large_end_in_the_comment])
def test_a_directory_that_is_too_large_is_not_read(
    store: Store, tmp_path: Path, lie: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hunts.telemetry.unpacking._DIRECTORY_BYTES", 100_000)
    archive = zipped(tmp_path / "x", {f"{number:0200}": b"" for number in range(500)})
    archive.write_bytes(lie(archive.read_bytes()))

    assert "has a directory too large to be read" in refusal(store, archive)


def test_a_zip_file_cut_off_is_refused(store: Store, tmp_path: Path) -> None:
    export = zipped(tmp_path / "x", {"a": LINES.encode()})
    export.write_bytes(export.read_bytes()[:-30])

    assert "damaged" in refusal(store, export)


def test_a_refused_file_in_an_archive_is_named(store: Store, tmp_path: Path) -> None:
    export = zipped(tmp_path / "x.zip", {"a": LINES.encode(), "read me.txt": b"hello\n"})

    assert f"{export / 'read me.txt'}: no CSV of DeviceNetworkEvents" in refusal(store, export)


def test_folders_and_archives_without_files_are_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert "without files" in refusal(store, tmp_path / "empty")
    assert "without files" in refusal(store, zipped(tmp_path / "x", {}))


def test_the_directory_of_an_archive_is_read_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time for many files would grow with their square."""
    archive = zipped(tmp_path / "x", {f"{number}.json": LINES.encode() for number in range(20)})
    opened = []

    class Counted(zipfile.ZipFile):
        def __init__(self, *arguments: Any) -> None:
            opened.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr("zipfile.ZipFile", Counted)

    assert import_files(store, [archive]).files == 20
    assert len(opened) == 1
