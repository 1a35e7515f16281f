from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from footprint.ledger.events import Event
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from hunts.adapters import store_of
from hunts.models import Source
from hunts.source_actions import add_source
from tests.hunts.telemetry.exports import pairs, row, write_json_lines, write_text

pytestmark = pytest.mark.django_db
Run = Callable[..., str]


@pytest.fixture
def source() -> Source:
    return add_source(actor=Actor.command("tests"), slug=f"s-{uuid4().hex[:12]}", kind="local")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command and gives what it wrote to stdout; on stderr it must have written nothing."""

    def run(*arguments: str) -> str:
        call_command(*arguments)
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out

    return run


def refused(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        call_command(*arguments)
    assert caught.value.returncode == 2
    return caught.value


def test_an_export_goes_into_the_named_source(run: Run, source: Source, tmp_path: Path) -> None:
    export = write_json_lines(tmp_path / "x", [row(), row(), row(ReportId=2)])

    said = run("import_telemetry", str(export), "--source", source.slug)

    assert pairs(store_of(source)) == {("a.exe", "203.0.113.7", "www.example.test")}
    assert "Rows read   3" in said
    assert "New rows    2" in said
    assert "Doubles     1" in said
    assert "Days        1, 2026-11-02 to 2026-11-02 (UTC)" in said


def test_the_summary_says_where_bad_lines_are_and_what_was_left_out(
    run: Run, source: Source, tmp_path: Path
) -> None:
    export = write_json_lines(tmp_path / "x", [row(), row(ReportId=2, RemotePort="?"), row(Timestamp="?")])

    said = run("import_telemetry", str(export), "--source", source.slug)

    assert f"Bad lines   1, kept in {store_of(source).bad_lines_folder}" in said
    assert "Cells of RemotePort that could not be read, left empty: 1" in said


def test_a_refused_file_is_named_and_nothing_goes_in(source: Source, tmp_path: Path) -> None:
    good, bad = write_json_lines(tmp_path / "good", [row()]), write_text(tmp_path / "bad.csv", "no\n")

    error = refused("import_telemetry", str(good), str(bad), "--source", source.slug)

    assert f"{bad}: no CSV of DeviceNetworkEvents" in str(error)
    assert store_of(source).parquet_files() == ()


def test_a_missing_file_is_named(source: Source, tmp_path: Path) -> None:
    error = refused("import_telemetry", str(tmp_path / "missing"), "--source", source.slug)

    assert "missing: No such file or directory" in str(error)


def test_an_unknown_source_is_told_the_known_ones(source: Source, tmp_path: Path) -> None:
    error = refused("import_telemetry", str(tmp_path), "--source", "nowhere")

    assert "'nowhere'" in str(error)
    assert source.slug in str(error)
    assert "local" in str(error)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_shows_on_a_terminal_only(source: Source, tmp_path: Path) -> None:
    export = write_json_lines(tmp_path / "x", [row()])
    terminal, out = Terminal(), io.StringIO()

    call_command("import_telemetry", str(export), "--source", source.slug, stderr=terminal, stdout=out)

    assert "\rReading x" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")
    assert "\r" not in out.getvalue()


def test_add_source_adds_one_and_the_ledger_says_who(run: Run) -> None:
    slug = f"s-{uuid4().hex[:12]}"

    said = run("add_source", slug, "--kind", "local", "--title", "Lab exports")

    assert slug in said
    assert Source.objects.get(slug=slug).title == "Lab exports"
    entry = Entry.objects.order_by("seq").last()
    assert entry is not None
    assert (entry.event, entry.actor_name) == ("hunts:source:added", "command add_source")


@pytest.mark.parametrize("slug", ["local", "two words", "../up", "", "x" * 51])
def test_a_source_that_cannot_be_is_refused_in_words(slug: str) -> None:
    sources = Source.objects.count()

    assert "slug" in str(refused("add_source", slug, "--kind", "local"))
    assert Source.objects.count() == sources


def test_an_import_stands_in_the_ledger(run: Run, source: Source, tmp_path: Path) -> None:
    export = write_json_lines(tmp_path / "x", [row()])

    run("import_telemetry", str(export), "--source", source.slug)

    entry = Entry.objects.get(event=Event.TELEMETRY_IMPORTED)
    assert (entry.actor_name, entry.subject_id) == ("command import_telemetry", source.slug)
    assert entry.content["after"]["files"] == [export.name]
