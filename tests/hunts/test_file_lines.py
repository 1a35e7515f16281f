from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.file_lines import read_file_lines, with_suggestions
from hunts.kql.files import FileKind


def test_every_line_is_a_file_and_empty_ones_are_nothing() -> None:
    lines = read_file_lines("a.exe\r\n\r\n  b c.exe\t\n")
    assert [file.text for file in lines.files] == ["a.exe", "b c.exe"]
    assert not lines.bad


def test_a_bad_line_is_told_with_its_number_and_reason() -> None:
    (line,) = read_file_lines("a.exe\n\nbell\x07.exe").bad
    assert line.number == 3
    assert "control character" in line.reason
    assert line.suggestion is None


@pytest.mark.parametrize(
    "path", [r"C:\Windows\a.exe", "/usr/bin/a.exe", r"\\server\share\a.exe", "%TEMP%\\a.exe"]
)
def test_a_path_offers_its_last_part(path: str) -> None:
    (line,) = read_file_lines(path).bad
    assert line.suggestion == "a.exe"
    assert "path" in line.reason


def test_a_name_of_a_megabyte_is_refused_and_shown_short() -> None:
    (line,) = read_file_lines("x" * 1_000_000).bad
    assert "1,000,000 characters" in line.reason
    assert len(line.shown) < 100


def test_doubles_differ_in_ascii_capitals_only() -> None:
    lines = read_file_lines("a.exe\nA.EXE\nä.exe\nÄ.exe")
    assert [file.text for file in lines.files] == ["a.exe", "ä.exe", "Ä.exe"]
    assert [(double.number, double.first) for double in lines.doubles] == [(2, 1)]


def test_hashes_are_known_by_their_length() -> None:
    lines = read_file_lines("\n".join(["A" * 40, "b" * 64, "c" * 41]))
    assert [file.kind for file in lines.files] == [FileKind.SHA1, FileKind.SHA256, FileKind.NAME]
    assert lines.sha256 == 1


def test_one_suggestion_is_taken_and_the_other_lines_stay() -> None:
    text = "one.exe\r\nC:\\a.exe\r\n/b.exe\r\n"
    assert with_suggestions(text, 2) == "one.exe\na.exe\n/b.exe\n"


def test_all_suggestions_are_taken_at_once() -> None:
    assert with_suggestions("C:\\a.exe\n\x07\n/b.exe") == "a.exe\n\x07\nb.exe"


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading_and_every_line_is_somewhere(text: str) -> None:
    lines = read_file_lines(text)
    told = len(lines.files) + len(lines.bad) + len(lines.doubles)
    assert told == sum(1 for line in text.split("\n") if line.strip(" \t\r"))


@given(st.text(max_size=300))
def test_taking_all_suggestions_leaves_none(text: str) -> None:
    assert read_file_lines(with_suggestions(text)).suggested == 0
