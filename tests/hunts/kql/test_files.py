from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.kql.files import MAX_NAME_LENGTH, AskedFile, BadFileName, FileKind, parse_file
from tests.hunts.kql.test_quote import QUOTABLE

SHA1 = "E152F7CE2D3A4349AC583580C2CAF8F72FAC16BA"
SHA256 = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08"


def refusal(text: str) -> BadFileName:
    with pytest.raises(BadFileName) as caught:
        parse_file(text)
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "svchost.exe",
        'we"ird',
        "a\\b",
        "$x",
        "two words",
        "größe.exe",
        "<img onerror>",
        "<unknown process>",
        "C:",
    ],
)
def test_a_name_is_kept_as_it_is_written(name: str) -> None:
    assert parse_file(name) == AskedFile(FileKind.NAME, name, name.lower())


def test_the_key_folds_ascii_letters_only() -> None:
    assert parse_file("\u212aÄß İ.EXE").key == "\u212aÄß İ.exe"


@pytest.mark.parametrize(("text", "kind"), [(SHA1, FileKind.SHA1), (SHA256, FileKind.SHA256)])
def test_a_hash_is_known_by_its_digits(text: str, kind: FileKind) -> None:
    assert parse_file(text) == AskedFile(kind, text, text.lower())


@pytest.mark.parametrize("text", [SHA1[:-1], SHA1 + "0", SHA1[:-1] + "g", "\uff11" * 40])
def test_what_only_looks_like_a_hash_is_a_name(text: str) -> None:
    assert parse_file(text).kind is FileKind.NAME


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_name_is_refused(text: str) -> None:
    assert str(refusal(text)) == "Give a file name."


def test_a_name_of_255_characters_is_the_longest() -> None:
    assert parse_file("ä" * MAX_NAME_LENGTH).text
    assert "256 characters" in str(refusal("ä" * (MAX_NAME_LENGTH + 1)))


def test_a_megabyte_is_refused_without_repeating_it() -> None:
    assert len(str(refusal("x" * 1_000_000))) < 100


@pytest.mark.parametrize("text", ["a\x00.exe", "a\nb", "a\x85b", "a\u2028b", "a\ud800b"])
def test_a_control_character_is_refused_and_placed(text: str) -> None:
    assert "Character 2" in str(refusal(text))


@pytest.mark.parametrize(
    "path",
    [
        "C:\\Windows\\System32\\a.exe",
        "c:/temp/a.exe",
        "\\\\server\\share\\a.exe",
        "\\Windows\\a.exe",
        "/usr/bin/a.exe",
        "bin/a.exe",
        "./a.exe",
        "..\\a.exe",
        "~/a.exe",
        "%TEMP%\\a.exe",
        '"C:\\Program Files\\x\\a.exe"',
        "/opt/a.exe/",
        "https://example.com/a.exe",
        "C:\\" + "x" * 300 + "\\a.exe",
    ],
)
def test_a_path_is_refused_and_its_last_part_offered(path: str) -> None:
    error = refusal(path)
    assert error.suggestion == "a.exe"


def test_a_path_says_that_it_is_one() -> None:
    assert str(refusal("/usr/bin/a")) == "This is a path. Give the file name alone: a"


@pytest.mark.parametrize("path", ["/", "C:\\", "//", "/ /"])
def test_a_path_without_a_name_offers_nothing(path: str) -> None:
    assert refusal(path).suggestion is None


@given(st.one_of(st.text(), QUOTABLE))
def test_every_text_is_a_file_or_gets_an_offer_that_is_one(text: str) -> None:
    try:
        file = parse_file(text)
    except BadFileName as error:
        file = parse_file(error.suggestion or "a.exe")
    assert parse_file(file.text) == file
