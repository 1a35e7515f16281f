from __future__ import annotations

import hashlib
import re
from datetime import date

import pytest

from hunts.kql.files import AskedFile, FileKind, parse_file
from hunts.kql.footprint import (
    COLUMNS,
    EVIDENCE,
    Dialect,
    footprint_queries,
    footprint_query,
    seed_query,
)
from hunts.kql.quote import UnquotableText
from hunts.kql.window import Window

LOCAL = Dialect("TimeGenerated")
NOVEMBER = Window.days(date(2026, 11, 1), date(2026, 11, 30))
SHA1, SHA256 = "a" * 40, "b" * 64


def asked(*texts: str) -> list[AskedFile]:
    return [parse_file(text) for text in texts]


def test_the_seed_is_the_public_query_to_the_byte() -> None:
    text = seed_query("FILENAME GOES HERE").text
    digest = "589ea384932a119ea034ccf968350a4c0aed53641ccbaa9265247abec2e1b6ce"
    assert hashlib.sha256(text.encode()).hexdigest() == digest


def test_the_seed_quotes_its_name() -> None:
    assert 'let filename = "a\\"b\\\\c {filename}";' in seed_query('a"b\\c {filename}').text


def test_all_names_go_into_one_query() -> None:
    (query,) = footprint_queries(asked("a.exe", 'b".exe'), NOVEMBER, LOCAL)
    assert 'InitiatingProcessFileName in~ ("a.exe", "b\\".exe")' in query.text
    assert query.names == ("a.exe", 'b".exe')
    assert query.columns == COLUMNS


def test_hashes_are_asked_apart_and_not_pruned() -> None:
    names, first, second = footprint_queries(asked(SHA256, "a.exe", SHA1), NOVEMBER, LOCAL)
    assert names.names == ("a.exe",)
    assert f'InitiatingProcessSHA1 in~ ("{SHA1}")' in first.text
    assert f'InitiatingProcessSHA256 in~ ("{SHA256}")' in second.text
    assert first.names is second.names is None


def test_files_of_two_kinds_make_no_single_query() -> None:
    with pytest.raises(ValueError, match="one kind"):
        footprint_query(asked("a.exe", SHA1), NOVEMBER, LOCAL)


def test_no_files_make_no_query() -> None:
    with pytest.raises(ValueError, match="at least one"):
        footprint_query([], NOVEMBER, LOCAL)


def test_the_window_is_half_open_in_utc() -> None:
    text = footprint_query(asked("a.exe"), NOVEMBER, Dialect("Timestamp")).text
    assert (
        "| where Timestamp >= datetime(2026-11-01T00:00:00.000000Z)"
        " and Timestamp < datetime(2026-12-01T00:00:00.000000Z)" in text
    )
    assert "TimeGenerated" not in text


def test_an_unbounded_window_has_no_condition_of_time() -> None:
    assert "datetime(" not in footprint_query(asked("a.exe"), Window(), LOCAL).text


def test_a_column_the_source_lacks_is_the_empty_string() -> None:
    lacks = frozenset(evidence.column for evidence in EVIDENCE) | {"DeviceId"}
    text = footprint_query(asked("a.exe"), NOVEMBER, Dialect("Timestamp", lacks)).text
    assert 'Publishers=make_set("", 7)' in text
    assert not lacks & set(re.findall(r"\w+", text))


def test_a_part_is_a_prefix_of_the_hash_of_the_pair() -> None:
    text = footprint_query(asked("a.exe"), NOVEMBER, LOCAL, part="0f").text
    assert '| where hash_md5(strcat(RemoteIP, "|", RemoteUrl)) startswith "0f"' in text


@pytest.mark.parametrize("part", ["g", "A", '"', "0\n"])
def test_a_part_is_hexadecimal(part: str) -> None:
    with pytest.raises(ValueError, match="part"):
        footprint_query(asked("a.exe"), NOVEMBER, LOCAL, part=part)


def test_names_beyond_ascii_are_grouped_as_recorded() -> None:
    assert "File=tolower(" in footprint_query(asked("A.exe"), NOVEMBER, LOCAL).text
    assert "File=InitiatingProcessFileName," in footprint_query(asked("a.exe", "ß.exe"), NOVEMBER, LOCAL).text


def test_a_name_that_was_never_parsed_is_still_not_injected() -> None:
    with pytest.raises(UnquotableText):
        footprint_query([AskedFile(FileKind.NAME, "a\nb", "a\nb")], NOVEMBER, LOCAL)
