"""Tampering on a database of the test's own: each kind is named by both verifiers."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from footprint.accounts.models import Role
from footprint.configuration import CHECKOUT
from footprint.ledger.chain import BrokenChain, canonical_json, next_hash
from footprint.ledger.checkpoints import public_hex, seal
from footprint.ledger.events import Event
from footprint.ledger.exporting import NoSuchRange, export, lines_of
from footprint.ledger.keys import key_from_text
from footprint.ledger.models import Checkpoint, Entry, Head, Verification
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.sealing import make_checkpoint, rotate_key
from footprint.ledger.verify import verify
from tests.house import FreshDatabase
from tests.roles import person_with

VERIFIER = CHECKOUT / "footprint/ledger/verifier/verify_footprint_ledger.py"
KEY = base64.b64encode(bytes(range(32))).decode()
NEXT_KEY = base64.b64encode(bytes(range(1, 33))).decode()
PUBLIC = public_hex(key_from_text(KEY))


@dataclass
class Kept:
    """A ledger of nine entries: six under a checkpoint, three behind it."""

    folder: Path
    file: Path

    def alone(self, *more: str, with_file: bool = True) -> tuple[int, str]:
        """What the stand-alone verifier says of an export of what is in the database now."""
        path = self.folder / "export.jsonl"
        last = Entry.objects.order_by("-seq").values_list("seq", flat=True)[0]
        path.write_text("".join(f"{line}\n" for line in lines_of(1, last)))
        return run_alone(path, *(["--checkpoints", str(self.file)] if with_file else []), *more)


def run_alone(*arguments: object) -> tuple[int, str]:
    # -I: nothing of this project can be imported, whatever the folder or the environment.
    ran = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout + ran.stderr


def add(*names: str) -> None:
    for name in names:
        with change(actor=Actor.command("tests")) as ledger:
            ledger.add(Event.CASE_OPENED, Subject("case", "1", name), case_number=1, reason=name)


@pytest.fixture
def kept(fresh_database: FreshDatabase, tmp_path: Path, settings) -> Kept:
    file = tmp_path / "checkpoints.jsonl"
    settings.FOOTPRINT = django_settings.FOOTPRINT.model_copy(
        update={"ledger_key": KEY, "checkpoint_file": file}
    )
    add(*"abcdef")
    make_checkpoint()
    add(*"ghi")
    return Kept(tmp_path, file)


def tamper(*statements: str) -> None:
    """As somebody who owns the tables: the triggers are switched off first."""
    with connection.cursor() as cursor:
        for table in ("ledger_entry", "ledger_head", "ledger_checkpoint"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            cursor.execute(statement)


def rehash_from(seq: int) -> None:
    """Writes all hashes from there on anew, and the head: the chain holds again."""
    previous = bytes(Entry.objects.get(seq=seq - 1).hash) if seq > 1 else bytes(32)
    for entry in Entry.objects.filter(seq__gte=seq).order_by("seq"):
        previous = next_hash(previous, entry.text)
        Entry.objects.filter(seq=entry.seq).update(hash=previous)
        seq = entry.seq
    Head.objects.update(seq=seq, hash=previous)


def change_one() -> None:
    tamper('UPDATE ledger_entry SET text = replace(text, \'"reason":"c"\', \'"reason":"x"\') WHERE seq = 3')


def delete_one() -> None:
    tamper("DELETE FROM ledger_entry WHERE seq = 4")


def insert_one() -> None:
    tamper(
        "UPDATE ledger_entry SET seq = seq + 100 WHERE seq >= 5",
        "UPDATE ledger_entry SET seq = seq - 99 WHERE seq > 100",
        "INSERT INTO ledger_entry SELECT 5, at, actor_kind, actor_id, actor_name, event, subject_kind,"
        " subject_id, subject_name, case_number, reason, request_id,"
        " replace(text, '\"seq\":4', '\"seq\":5'), hash FROM ledger_entry WHERE seq = 4",
    )


def reorder() -> None:
    tamper(
        "UPDATE ledger_entry SET seq = 100 WHERE seq = 2",
        "UPDATE ledger_entry SET seq = 2 WHERE seq = 3",
        "UPDATE ledger_entry SET seq = 3 WHERE seq = 100",
    )


def cut_the_tail() -> None:
    tamper("DELETE FROM ledger_entry WHERE seq > 4")
    Head.objects.update(seq=4, hash=Entry.objects.get(seq=4).hash)


def replace_the_tail() -> None:
    change_one()
    Entry.objects.filter(seq=3).update(reason="x")
    rehash_from(3)


def cut_and_write_anew() -> None:
    cut_the_tail()
    add("other e", "other f", "other g")


def change_a_checkpoint() -> None:
    tamper("UPDATE ledger_checkpoint SET text = replace(text, '\"seq\":6', '\"seq\":5')")


def two_with_one_seq() -> None:
    tamper(
        "ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_pkey",
        "INSERT INTO ledger_entry SELECT * FROM ledger_entry WHERE seq = 7",
    )


TAMPERED: dict[str, tuple[Callable[[], None], int, str]] = {
    "a changed entry": (change_one, 3, "hash does not follow"),
    "a deleted entry": (delete_one, 4, "is missing"),
    "an inserted entry": (insert_one, 5, "hash does not follow"),
    "two entries that changed places": (reorder, 2, ""),
    "a tail that was cut": (cut_the_tail, 5, "a checkpoint speaks of entry 6"),
    "a tail that was replaced and hashed anew": (replace_the_tail, 6, "written anew"),
    "a tail that was cut and written anew": (cut_and_write_anew, 6, "written anew"),
    "a changed checkpoint": (change_a_checkpoint, 5, "signature does not fit"),
    "two entries with one number": (two_with_one_seq, 7, "more than one"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_both_verifiers_name(how: str, kept: Kept):
    attack, seq, why = TAMPERED[how]
    attack()
    with pytest.raises(BrokenChain, match=f"^Entry {seq}: .*{why}"):
        verify()
    code, said = kept.alone()
    assert code == 1, said
    assert said.startswith(f"Entry {seq}: ")
    assert why in said


def test_an_untouched_ledger_holds_for_both(kept: Kept):
    proven = verify()
    assert (proven.entries, proven.checkpoints, proven.unsealed, proven.notes) == (9, 1, 3, [])
    code, said = kept.alone("--key", PUBLIC)
    assert code == 0, said
    assert "Entries 1 to 9 hold, under 1 checkpoints" in said
    assert "last 3 entries are under no checkpoint" in said


def test_without_the_checkpoint_file_a_tail_hashed_anew_is_found_by_the_table_alone(kept: Kept):
    replace_the_tail()
    kept.file.unlink()
    with pytest.raises(BrokenChain, match="Entry 6"):
        verify()


def test_a_tail_hashed_anew_under_a_checkpoint_removed_from_the_table_is_found_by_the_file(kept: Kept):
    replace_the_tail()
    tamper("DELETE FROM ledger_checkpoint")
    with pytest.raises(BrokenChain, match="Entry 6"):
        verify()
    assert kept.alone()[0] == 1
    assert kept.alone(with_file=False)[0] == 0


def test_a_checkpoint_of_somebody_elses_key_is_found(kept: Kept):
    make_checkpoint(key_from_text(NEXT_KEY))
    with pytest.raises(BrokenChain, match=r"Entry 9: .*unknown key"):
        verify()
    code, said = kept.alone("--key", PUBLIC)
    assert code == 1
    assert "Entry 9: " in said
    assert "unknown key" in said


def test_a_column_that_says_other_than_the_text_is_found(kept: Kept):
    tamper("UPDATE ledger_entry SET actor_name = 'Someone else', reason = 'another' WHERE seq = 2")
    with pytest.raises(BrokenChain, match="Entry 2: beside its text it says otherwise: actor, reason"):
        verify()


@pytest.mark.parametrize(
    ("cut", "instead", "why"),
    [
        ('"at":', '"when":', "beside its text it says otherwise: time"),
        ('"at":"', '"at":"not ', "beside its text it says otherwise: time"),
        ('"actor":', '"who":', "beside its text it says otherwise: actor"),
    ],
)
def test_a_text_that_was_hashed_anew_without_what_it_must_say_is_named(
    kept: Kept, cut: str, instead: str, why: str
):
    text = Entry.objects.get(seq=8).text.replace(cut, instead)
    tamper("SELECT 1")
    Entry.objects.filter(seq=8).update(text=text)
    rehash_from(8)
    with pytest.raises(BrokenChain, match=f"Entry 8: {why}"):
        verify()


@pytest.mark.parametrize("before", [None, {"other": "x"}])
def test_a_change_of_keys_without_the_old_key_is_named(kept: Kept, before: dict[str, object] | None):
    with change(actor=Actor.command("tests")) as ledger:
        ledger.add(Event.KEY_ROTATED, Subject("key", "x", "checkpoints"), before=before, after={"key": "x"})
    with pytest.raises(BrokenChain, match="Entry 10: it tells of a change of keys"):
        verify()


@pytest.mark.parametrize("at_once", [3, 7, 1_000])
def test_a_second_entry_of_one_number_with_another_column_is_named(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    monkeypatch.setattr("footprint.ledger.verify._AT_ONCE", at_once)
    two_with_one_seq()
    tamper("UPDATE ledger_entry SET reason = 'another' WHERE seq = 7")
    with pytest.raises(BrokenChain, match="Entry 7: "):
        verify()


@pytest.mark.parametrize("at_once", [1, 3, 7, 9])
def test_two_entries_of_one_number_are_named_where_pages_join_too(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    monkeypatch.setattr("footprint.ledger.verify._AT_ONCE", at_once)
    assert verify().entries == 9
    two_with_one_seq()
    with pytest.raises(BrokenChain, match="Entry 7: there is more than one"):
        verify()


def test_a_head_that_was_deleted_is_named(kept: Kept):
    tamper("DELETE FROM ledger_head")
    with pytest.raises(BrokenChain, match="the head of the ledger was deleted"):
        verify()


@pytest.mark.parametrize("column", ["seq = 5", "at = now()", "key = 'x'"])
def test_a_column_of_a_checkpoint_that_says_other_than_its_text_is_named(kept: Kept, column: str):
    tamper(f"UPDATE ledger_checkpoint SET {column}")
    with pytest.raises(BrokenChain, match="Entry 6: the columns of its checkpoint"):
        verify()


def test_a_checkpoint_file_that_was_asked_for_and_is_not_there_ends_the_command_with_2(kept: Kept):
    with pytest.raises(CommandError, match="absent cannot be read") as refused:
        call_command("verify_ledger", checkpoints=kept.folder / "absent")
    assert refused.value.returncode == 2


def test_progress_is_seen_by_others_while_a_verification_goes_on(kept: Kept, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("footprint.ledger.verify._AT_ONCE", 4)
    verification = Verification.objects.create(asked_by=person_with(Role.AUDITOR, "otto"))
    seen: list[int] = []

    def look() -> None:
        seen.append(Verification.objects.get().checked)
        connection.close()

    def moved(checked: int, total: int) -> None:
        Verification.objects.filter(pk=verification.pk).update(checked=checked)
        other = Thread(target=look)
        other.start()
        other.join()

    verify(progress=moved)
    # Twice before the first entry: after the checkpoints of the database, and after those of the file.
    assert seen == [0, 0, 4, 8, 9]


@pytest.mark.parametrize(
    "name", ['with "quotes" and \\', "tab\tline\nreturn\r\x01\x7f", "ü ẞ 日本 \U0001f600 \u2028", "</script>"]
)
def test_any_text_holds_in_columns_and_export(kept: Kept, name: str):
    add(name)
    assert verify().entries == 10
    assert kept.alone()[0] == 0


def test_a_head_that_was_moved_is_found(kept: Kept):
    tamper("UPDATE ledger_head SET seq = 12")
    with pytest.raises(BrokenChain, match="Entry 10: it is missing; the head of the ledger stands at 12"):
        verify()


def test_an_entry_put_behind_the_head_is_found(kept: Kept):
    last = Entry.objects.get(seq=9)
    text = canonical_json({**last.content, "seq": 10})
    last.seq, last.text, last.hash = 10, text, next_hash(bytes(last.hash), text)
    last.save(force_insert=True)
    with pytest.raises(BrokenChain, match="Entry 10: it stands behind the head"):
        verify()


def test_a_rotated_key_is_trusted_from_the_old_and_from_the_new_one(kept: Kept, settings):
    rotated = rotate_key(actor=Actor.command("tests"), reason="yearly", new_text=NEXT_KEY)
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": NEXT_KEY})
    add("j")
    make_checkpoint()
    assert verify().checkpoints == 4
    assert verify(trusted=[PUBLIC]).unsealed == 0
    assert kept.alone("--key", PUBLIC)[0] == 0
    assert kept.alone("--key", rotated.key)[0] == 0
    assert Entry.objects.get(event=Event.KEY_ROTATED).content["after"] == {"key": rotated.key}


def test_a_rotation_that_the_old_key_never_sealed_carries_no_trust(kept: Kept):
    thief = key_from_text(NEXT_KEY)
    with change(actor=Actor.command("rotate_ledger_key")) as ledger:
        ledger.add(
            Event.KEY_ROTATED,
            Subject("key", "x", "checkpoints"),
            before={"key": PUBLIC},
            after={"key": public_hex(thief)},
        )
    make_checkpoint(thief)
    with pytest.raises(BrokenChain, match="unknown key"):
        verify()
    assert kept.alone("--key", PUBLIC)[0] == 1


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


def refused(command: str, **options: object) -> CommandError:
    with pytest.raises(CommandError) as error:
        call_command(command, **options)
    return error.value


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
