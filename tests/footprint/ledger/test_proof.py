"""Both verifiers on a ledger that somebody with the rights of the owner tampered with."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from footprint.accounts.models import Role
from footprint.ledger.chain import BrokenChain, canonical_json, next_hash
from footprint.ledger.events import Event
from footprint.ledger.keys import key_from_text
from footprint.ledger.models import Entry, Head, Verification
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.sealing import make_checkpoint
from footprint.ledger.verify import verify
from tests.footprint.ledger.kept import (
    NEXT_KEY,
    PUBLIC,
    Kept,
    add,
    change_one,
    rehash_from,
    replace_the_tail,
    tamper,
)
from tests.roles import person_with


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
    monkeypatch.setattr("footprint.ledger.verify._PAGE_ROWS", at_once)
    two_with_one_seq()
    tamper("UPDATE ledger_entry SET reason = 'another' WHERE seq = 7")
    with pytest.raises(BrokenChain, match="Entry 7: "):
        verify()


@pytest.mark.parametrize("at_once", [1, 3, 7, 9])
def test_two_entries_of_one_number_are_named_where_pages_join_too(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, at_once: int
):
    monkeypatch.setattr("footprint.ledger.verify._PAGE_ROWS", at_once)
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
    monkeypatch.setattr("footprint.ledger.verify._PAGE_ROWS", 4)
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
