from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from footprint.ledger.record import Actor
from hunts.adapters import store_of
from hunts.models import Source
from hunts.source_actions import add_source
from hunts.telemetry.importing import import_files
from tests.hunts.telemetry.exports import row, write_json_lines

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """With two imports of the same day, which have a row in common."""
    source = add_source(actor=Actor.command("tests"), slug=f"s-{uuid4().hex[:12]}", kind="local")
    for name, reports in (("first.jsonl", (1, 2)), ("second.jsonl", (2, 3))):
        rows = [row(ReportId=report) for report in reports]
        import_files(store_of(source), [write_json_lines(tmp_path / name, rows)])
    return source


def run(capsys: pytest.CaptureFixture[str], *arguments: str, source: Source) -> str:
    call_command(*arguments, "--source", source.slug)
    return capsys.readouterr().out


def test_imports_are_listed_with_the_rows_they_brought(
    source: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = run(capsys, "remove_import", source=source).splitlines()
    assert first.split()[1:] == ["2", "rows", "first.jsonl"]
    assert second.split()[1:] == ["1", "rows", "second.jsonl"]


def test_removing_an_import_says_what_went_and_what_stayed(
    source: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    first, _ = store_of(source).imports()

    said = run(capsys, "remove_import", first.import_id, source=source)

    assert "Removed 2 rows of 1 days." in said
    assert "other imports had brought 1 too" in said
    assert sum(store_of(source).days().values()) == 2


def test_an_unknown_import_is_bad_input(source: Source) -> None:
    with pytest.raises(CommandError, match="There is no import nothing") as caught:
        call_command("remove_import", "nothing", "--source", source.slug)
    assert caught.value.returncode == 2


def test_compacting_says_what_became_of_the_files(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Days 1: 3 files are 2 now." in run(capsys, "compact_telemetry", source=source)


def test_keeping_days_lets_go_of_older_ones(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    kept = (datetime.now(UTC).date() - datetime(2026, 11, 2, tzinfo=UTC).date()).days
    assert "Let go: 0 days" in run(capsys, "keep_telemetry", "--forever", source=source)
    assert "Let go: 1 days with 3 rows." in run(capsys, "keep_telemetry", "--days", str(kept), source=source)
    assert store_of(source).days() == {}


def test_less_than_a_day_cannot_be_kept(source: Source) -> None:
    with pytest.raises(CommandError, match="at least 1"):
        call_command("keep_telemetry", "--days", "0", "--source", source.slug)
