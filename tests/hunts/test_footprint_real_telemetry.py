"""Where FOOTPRINT_REAL_TELEMETRY names a folder of real exports: what the command prints for every file
name in them equals what plain Python finds in the original lines."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from footprint.ledger.record import Actor
from hunts.kql.files import parse_file
from hunts.source_actions import add_source
from tests.hunts.telemetry.test_real_telemetry import FOLDER, covered_files, original_rows

pytestmark = [
    pytest.mark.skipif(not FOLDER, reason="FOOTPRINT_REAL_TELEMETRY names no folder of real exports"),
    pytest.mark.django_db,
    # Some hundred questions, one after the other.
    pytest.mark.timeout(900),
]

Pair = tuple[str, str]


def original_pairs(paths: list[Path]) -> dict[str, set[Pair]]:
    """The pairs of each file name, by its key."""
    pairs: dict[str, set[Pair]] = {}
    for path in paths:
        for row in original_rows(path):
            name = row.get("InitiatingProcessFileName") or ""
            pair = (row.get("RemoteIP") or "", row.get("RemoteUrl") or "")
            if name:
                found = pairs.setdefault(parse_file(name).key, set())
                found |= {pair} - {("", "")}
    return pairs


def test_every_file_name_has_the_pairs_of_the_original_lines(capsys: pytest.CaptureFixture[str]) -> None:
    paths = covered_files()
    source = add_source(actor=Actor.command("tests"), slug="real", kind="local")
    call_command("import_telemetry", *map(str, paths), source=source.slug)
    capsys.readouterr()
    expected = original_pairs(paths)
    assert len(expected) > 30
    for name, pairs in expected.items():
        out = StringIO()
        call_command("footprint", name, source=source.slug, raw=True, format="csv", stdout=out)
        header, *lines = csv.reader(StringIO(out.getvalue()))
        assert header == ["IP", "DNS"]
        assert [tuple(line) for line in lines] == sorted(pairs), name
