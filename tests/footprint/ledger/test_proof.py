"""Tampering on a database of the test's own: each kind is named by both verifiers."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from footprint.configuration import CHECKOUT
from footprint.ledger.chain import BrokenChain, canonical_json, next_hash
from footprint.ledger.checkpoints import public_hex
from footprint.ledger.events import Event
from footprint.ledger.exporting import NoSuchRange, export, lines_of
from footprint.ledger.keys import key_from_text
from footprint.ledger.models import Checkpoint, Entry, Head
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.sealing import make_checkpoint, rotate_key
from footprint.ledger.verify import verify
from tests.house import FreshDatabase

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


def test_what_is_no_export_is_unreadable(tmp_path: Path):
    path = tmp_path / "other.jsonl"
    path.write_text('{"kind": "something"}\n')
    assert run_alone(path)[0] == 2
    path.write_text("not json\n")
    assert run_alone(path)[0] == 2
    assert run_alone(tmp_path / "absent")[0] == 2
