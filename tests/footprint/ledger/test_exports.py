"""Exports, ranges of them, and the stand-alone verifier on what it can be given."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from footprint.ledger.chain import next_hash
from footprint.ledger.checkpoints import Sealed, seal
from footprint.ledger.events import Event
from footprint.ledger.exporting import Export, NoSuchRange, export, lines_of
from footprint.ledger.keys import key_from_text
from footprint.ledger.models import Checkpoint, Entry, Head
from footprint.ledger.record import Actor
from footprint.ledger.sealing import make_checkpoint
from footprint.ledger.verify import verify
from tests.footprint.ledger.kept import KEY, PUBLIC, VERIFIER, Kept, add, refused, run_alone


def test_an_export_holds_its_own_entry_and_seals_itself(kept: Kept):
    made = export(actor=Actor.command("tests"))
    path = kept.folder / made.filename
    path.write_bytes(made.content.read())
    made.content.close()
    code, said = run_alone(path, "--key", PUBLIC)
    assert (code, made.last) == (0, 10), said
    assert "no checkpoint" not in said
    assert Entry.objects.get(seq=10).event == Event.LEDGER_EXPORTED
    assert Checkpoint.objects.latest("pk").seq == 10


def written_to(kept: Kept, made: Export) -> Path:
    path = kept.folder / made.filename
    path.write_bytes(made.content.read())
    made.content.close()
    return path


def test_what_is_written_meanwhile_takes_no_seal_from_an_export(kept: Kept, monkeypatch: pytest.MonkeyPatch):
    def sealed_late(*arguments: Any, **options: Any) -> Sealed:
        add("meanwhile")
        return make_checkpoint(*arguments, **options)

    monkeypatch.setattr("footprint.ledger.exporting.make_checkpoint", sealed_late)
    path = written_to(kept, export(actor=Actor.command("tests")))
    code, said = run_alone(path, "--checkpoints", str(kept.file), "--key", PUBLIC)
    assert (code, "Sealed up to entry 10." in said) == (0, True), said


def test_the_end_of_a_range_is_sealed_too(kept: Kept):
    path = written_to(kept, export(actor=Actor.command("tests"), first=2, last=8))
    code, said = run_alone(path, "--checkpoints", str(kept.file), "--part", "--key", PUBLIC)
    assert (code, "Sealed up to entry 8." in said) == (0, True), said


def test_exporting_a_part_seals_the_head_too(kept: Kept):
    written_to(kept, export(actor=Actor.command("tests"), first=1, last=2))
    newest = Checkpoint.objects.latest("pk")
    assert (newest.seq, Head.objects.get().seq) == (10, 10)


def test_an_export_older_than_its_checkpoints_is_told_what_to_ask_for(kept: Kept):
    path = written_to(kept, export(actor=Actor.command("tests")))
    add("later")
    make_checkpoint()
    code, said = run_alone(path, "--checkpoints", str(kept.file), "--key", PUBLIC)
    assert (code, "--part" in said) == (1, True)
    assert run_alone(path, "--checkpoints", str(kept.file), "--key", PUBLIC, "--part")[0] == 0


def test_ranges_put_away_join_up(kept: Kept):
    first = [json.loads(line) for line in lines_of(1, 5)]
    second = [json.loads(line) for line in lines_of(6, 9)]
    assert second[0]["previous"] == first[-1]["hash"]


def test_a_range_is_exported_with_what_stands_before_it(kept: Kept):
    made = export(actor=Actor.command("tests"), first=4, last=7)
    path = kept.folder / made.filename
    path.write_bytes(made.content.read())
    made.content.close()
    code, said = run_alone(path, "--checkpoints", kept.file, "--key", PUBLIC, "--part")
    assert code == 0, said
    assert "Entries 4 to 7 hold" in said


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3), (1, 99), (99, None)])
def test_a_range_that_is_none_is_refused_and_writes_no_entry(kept: Kept, first: int, last: int | None):
    with pytest.raises(NoSuchRange):
        export(actor=Actor.command("tests"), first=first, last=last)
    assert Head.objects.get().seq == 9


def test_an_export_that_breaks_off_is_found(kept: Kept):
    kept.alone()
    path = kept.folder / "export.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-2]))
    code, said = run_alone(path)
    assert code == 1
    assert said.startswith("Entry 9: it is missing; the export breaks off")


def test_without_cryptography_the_verifier_says_that_signatures_were_not_checked(kept: Kept):
    kept.alone()
    # -S: no site-packages, so only the standard library.
    ran = subprocess.run(
        [sys.executable, "-I", "-S", str(VERIFIER), str(kept.folder / "export.jsonl")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 3, ran.stderr
    assert "Signatures were NOT checked" in ran.stdout


GOLDEN = Path(__file__).parent / "golden"


def golden_lines() -> list[dict[str, Any]]:
    """The header, a checkpoint of entry 3, three entries and the end."""
    return [json.loads(line) for line in (GOLDEN / "ledger.jsonl").read_text().splitlines()]


def run_on(tmp_path: Path, lines: Iterable[object], *more: object) -> tuple[int, str]:
    path = tmp_path / "export.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return run_alone(path, *more)


def checkpoint_of(seq: int, digest: bytes) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(seal(key_from_text(KEY), seq, digest, datetime.now(UTC)).line())
    return line


def export_of(*texts: object, hashes_fit: bool = True) -> list[dict[str, Any]]:
    """An export of these texts, whatever they are."""
    lines: list[dict[str, Any]] = []
    previous = bytes(32)
    for text in texts:
        if isinstance(text, str) and hashes_fit:
            previous = next_hash(previous, text)
        lines.append({"kind": "entry", "text": text, "hash": previous.hex()})
    header = {"kind": "ledger", "format": 1, "from": 1, "to": len(texts), "previous": "00" * 32}
    return [header, *lines, {"kind": "end", "entries": len(texts), "hash": previous.hex()}]


def test_a_checkpoint_that_stands_behind_entries_is_refused(tmp_path: Path):
    header, _, *entries, end = golden_lines()
    wrong = checkpoint_of(3, bytes(32))
    code, said = run_on(tmp_path, [header, *entries, wrong, end], "--key", PUBLIC)
    assert code == 2, said
    assert said.startswith("a checkpoint stands behind an entry")


def test_a_checkpoint_of_the_entry_before_a_range_is_compared_with_its_header(tmp_path: Path):
    header, _, first, *rest, _ = golden_lines()
    range_of_it = {**header, "from": 2, "previous": first["hash"]}
    end = {"kind": "end", "entries": 2, "hash": rest[-1]["hash"]}
    right = checkpoint_of(1, bytes.fromhex(first["hash"]))
    wrong = checkpoint_of(1, bytes(32))
    assert run_on(tmp_path, [range_of_it, right, *rest, end])[0] == 0
    code, said = run_on(tmp_path, [range_of_it, wrong, *rest, end])
    assert code == 1, said
    assert said.startswith("Entry 1: a checkpoint holds another hash")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"event":"ledger:key:rotated","before":null,"seq":1}', "change of keys"),
        ('{"event":"ledger:key:rotated","before":{"key":[]},"after":{"key":[]},"seq":1}', "change of keys"),
        (7, "its line is not an entry"),
        ('{"seq":1,"reason":"\ud800"}', "its line is not an entry"),
    ],
)
def test_an_entry_that_is_none_is_named(tmp_path: Path, text: object, why: str):
    lines = export_of(text, hashes_fit="\ud800" not in str(text))
    code, said = run_on(tmp_path, lines)
    assert code == 1, said
    assert said.startswith("Entry 1: ")
    assert why in said
    assert "Traceback" not in said


@pytest.mark.parametrize("odd", [{"from": "1"}, {"to": "3"}, {"from": True}, {"from": 0}, {"from": 4}])
def test_a_header_that_is_none_is_unreadable(tmp_path: Path, odd: dict[str, object]):
    header, *rest = golden_lines()
    code, said = run_on(tmp_path, [{**header, **odd}, *rest])
    assert code == 2, said
    assert said.startswith("the first line is no header of an export")


def test_a_checkpoint_with_half_a_letter_is_named(tmp_path: Path):
    header, checkpoint, *rest = golden_lines()
    odd = checkpoint["text"].replace('"kind"', '"a":"\ud800","kind"')
    code, said = run_on(tmp_path, [header, {**checkpoint, "text": odd}, *rest])
    assert code == 1, said
    assert said.startswith("Entry 0: a checkpoint cannot be read")


def test_the_letter_case_of_a_key_does_not_matter(kept: Kept):
    assert verify(trusted=[PUBLIC.upper()]).checkpoints == 1
    assert kept.alone("--key", PUBLIC.upper())[0] == 0


def test_commands_that_cannot_seal_say_why_and_end_with_2(kept: Kept, settings):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": "not a key"})
    errors = [refused("make_checkpoint"), refused("export_ledger", output=kept.folder / "export")]
    assert [(str(error), error.returncode) for error in errors] == [("The key is not base64.", 2)] * 2
    assert Head.objects.get().seq == 9


def test_an_export_that_cannot_be_written_says_so(kept: Kept):
    error = refused("export_ledger", output=kept.folder)
    assert (f"{kept.folder} cannot be written" in str(error), error.returncode) == (True, 2)


def test_what_is_no_export_is_unreadable(tmp_path: Path):
    path = tmp_path / "other.jsonl"
    path.write_text('{"kind": "something"}\n')
    assert run_alone(path)[0] == 2
    path.write_text("not json\n")
    assert run_alone(path)[0] == 2
    assert run_alone(tmp_path / "absent")[0] == 2
    path.write_text("[" * 100_000 + "\n")
    code, said = run_alone(path)
    assert (code, "line 1 is not JSON" in said) == (2, True)


def test_a_key_of_which_no_checkpoint_seals_an_entry_does_not_pass(tmp_path: Path):
    header, checkpoint, *rest = golden_lines()
    code, said = run_on(tmp_path, [header, *rest], "--key", PUBLIC)
    assert (code, "No entry of this export is under a checkpoint" in said) == (4, True)
    code, said = run_on(tmp_path, [header, checkpoint, *rest], "--key", PUBLIC)
    assert (code, "Sealed up to entry 3." in said) == (0, True)
