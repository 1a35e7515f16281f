"""The checkpoint file after a crash, and in the hands of somebody who would hide something behind one."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footprint.ledger.chain import BrokenChain
from footprint.ledger.checkpoints import MOST_KEYS, BadCheckpoint, is_torn, read_lines, seal, torn_end
from footprint.ledger.exporting import export, lines_of
from footprint.ledger.keys import key_from_text
from footprint.ledger.models import Checkpoint, Head
from footprint.ledger.record import Actor
from footprint.ledger.sealed import Seals, read_seals
from footprint.ledger.sealing import NoHead, NotWritten, make_checkpoint, rotate_key
from footprint.ledger.verify import verify
from tests.footprint.ledger.kept import (
    KEY,
    NEXT_KEY,
    PUBLIC,
    VERIFIER,
    Kept,
    refused,
    replace_the_tail,
    run_alone,
    tamper,
)

WHY = "a line of the checkpoints is not a checkpoint"
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
LINE = seal(key_from_text(KEY), 3, bytes(32), AT).line().encode()


def both_hold(kept: Kept) -> tuple[list[str], str]:
    """What each verifier notes; either would fail the test if it found something wrong."""
    code, said = kept.alone("--key", PUBLIC)
    assert code == 0, said
    return verify().notes, said


def both_name(kept: Kept, seq: int, why: str) -> None:
    with pytest.raises(BrokenChain, match=f"^Entry {seq}: .*{why}"):
        verify()
    code, said = kept.alone()
    assert code == 1, said
    assert said.startswith(f"Entry {seq}: ")
    assert why in said


@pytest.mark.parametrize("length", [1, 40, 300, -2])
def test_a_line_torn_at_the_end_is_passed_over_and_told(kept: Kept, length: int):
    kept.file.write_bytes(kept.file.read_bytes() + LINE[:length])
    notes, said = both_hold(kept)
    told = f"a line of {len(LINE[:length]) + 1} bytes was torn while it was written"
    assert told in notes[0]
    assert told in said


def test_a_line_that_a_crash_left_as_zeros_is_passed_over_and_told(kept: Kept):
    kept.file.write_bytes(kept.file.read_bytes() + LINE[:50] + bytes(200))
    notes, said = both_hold(kept)
    assert len(notes) == 1
    assert "was torn while it was written" in said


def test_the_next_checkpoint_speaks_of_the_torn_line_and_the_file_heals(kept: Kept):
    before = kept.file.read_bytes()
    kept.file.write_bytes(before + LINE[:40])
    sealed = make_checkpoint()
    assert sealed.torn
    assert kept.file.read_bytes() == before + LINE[:40] + b"\n" + sealed.line().encode() + b"\n"
    notes, said = both_hold(kept)
    assert ["was torn" in note for note in notes] == [True]
    assert "was torn" in said
    assert make_checkpoint().torn == ""


def test_a_crash_while_healing_heals_too(kept: Kept):
    before = kept.file.read_bytes()
    kept.file.write_bytes(before + LINE[:40] + b"\n" + LINE[:60])
    assert torn_end(kept.file.read_bytes()) == LINE[:40] + b"\n" + LINE[:60] + b"\n"
    make_checkpoint()
    notes, _ = both_hold(kept)
    assert "a line of 102 bytes was torn" in notes[0]


def test_a_last_line_that_lacks_only_its_end_of_line_counts(kept: Kept):
    kept.file.write_bytes(kept.file.read_bytes().rstrip(b"\n"))
    assert both_hold(kept)[0] == []
    assert make_checkpoint().torn == ""
    assert verify().in_file == 2


def test_a_line_written_in_part_is_left_as_torn_and_no_checkpoint_is_kept(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
):
    whole, write = kept.file.read_bytes(), os.write
    with monkeypatch.context() as patch:
        patch.setattr("os.write", lambda descriptor, data: write(descriptor, data[:40]))
        with pytest.raises(NotWritten, match="only a part of a line"):
            make_checkpoint()
    assert kept.file.read_bytes() == whole + LINE[:34] + kept.file.read_bytes()[-6:]
    assert Checkpoint.objects.count() == 1
    make_checkpoint()
    assert "was torn" in both_hold(kept)[0][0]


def test_a_line_cut_short_before_another_is_no_crash(kept: Kept):
    make_checkpoint()
    first, second = kept.file.read_bytes().splitlines(keepends=True)
    kept.file.write_bytes(first[:60] + b"\n" + second)
    both_name(kept, 0, WHY)


def test_no_further_checkpoint_covers_up_a_line_cut_short_before_another(kept: Kept):
    make_checkpoint()
    first, second = kept.file.read_bytes().splitlines(keepends=True)
    kept.file.write_bytes(first[:60] + b"\n" + second)
    assert make_checkpoint().torn == ""
    both_name(kept, 0, WHY)


@pytest.mark.parametrize(
    "wrong", [b"[" * 20_000, LINE[:-1].replace(b'"text"', b'"more":' + b"[" * 20_000)], ids=["all", "within"]
)
def test_a_line_that_is_nested_without_end_is_no_checkpoint(kept: Kept, wrong: bytes):
    kept.file.write_bytes(kept.file.read_bytes() + wrong + b"\n")
    both_name(kept, 0, WHY)


@pytest.mark.parametrize("wrong", [b"nothing like it\n", b'{"kind":"other"}\n', b"[]\n", b'"x"\n'])
def test_no_further_checkpoint_covers_up_a_line_that_is_none(kept: Kept, wrong: bytes):
    kept.file.write_bytes(kept.file.read_bytes() + wrong)
    assert make_checkpoint().torn == ""
    with pytest.raises(BrokenChain, match=WHY):
        verify()
    assert kept.alone()[0] == 1


def test_no_further_checkpoint_covers_up_a_changed_last_line(kept: Kept):
    kept.file.write_bytes(kept.file.read_bytes().replace(b'\\"seq\\":6', b'\\"seq\\":5'))
    assert make_checkpoint().torn == ""
    both_name(kept, 5, "signature does not fit")


def test_a_torn_line_that_differs_from_the_one_spoken_of_is_named(kept: Kept):
    kept.file.write_bytes(kept.file.read_bytes() + LINE[:40])
    make_checkpoint()
    kept.file.write_bytes(kept.file.read_bytes().replace(LINE[:40] + b"\n", LINE[:41] + b"\n"))
    both_name(kept, 0, WHY)


def test_a_tail_hashed_anew_is_found_in_a_file_that_ends_torn(kept: Kept):
    kept.file.write_bytes(kept.file.read_bytes() + LINE[:40])
    replace_the_tail()
    tamper("DELETE FROM ledger_checkpoint")
    both_name(kept, 6, "written anew")


@pytest.mark.parametrize("length", [70_000, 700_000])
def test_a_line_without_an_end_is_not_taken_into_memory(kept: Kept, length: int):
    kept.file.write_bytes(kept.file.read_bytes() + LINE[:40] + b"0" * length)
    both_name(kept, 0, WHY)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, len(LINE) - 1), st.booleans()), max_size=6))
def test_wherever_crashes_tear_lines_all_whole_ones_are_read(steps: list[tuple[int, int, bool]]):
    key, file, whole = key_from_text(KEY), b"", []
    for seq, cut, crashes in steps:
        sealed = seal(key, seq, bytes(32), AT, torn_end(file))
        joins = bool(file) and not file.endswith(b"\n")
        encoded = (b"\n" if joins else b"") + sealed.line().encode() + b"\n"
        file += encoded[:cut] if crashes else encoded
        whole += [] if crashes else [sealed]
    assert list(read_lines(file.splitlines(keepends=True))) == whole


@given(st.binary(max_size=60))
def test_only_what_begins_as_a_line_does_may_be_torn(content: bytes):
    left = content.rstrip(b"\0")
    assert not is_torn(content) or LINE.startswith(left[:34])


def test_the_file_and_its_folder_reach_the_disk(kept: Kept, monkeypatch: pytest.MonkeyPatch):
    flushed: list[bool] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        flushed.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        sync(descriptor)

    monkeypatch.setattr("os.fsync", noted)
    make_checkpoint()
    kept.file.unlink()
    make_checkpoint()
    assert flushed == [False, True, False]


def test_a_file_that_cannot_be_written_is_told_before_an_entry_is_written(kept: Kept):
    kept.file.unlink()
    kept.file.mkdir()
    assert "cannot be written" in str(refused("export_ledger", output=kept.folder / "export"))
    with pytest.raises(NotWritten):
        export(actor=Actor.command("tests"))
    with pytest.raises(NotWritten):
        rotate_key(actor=Actor.command("tests"), reason="", new_text=NEXT_KEY)
    assert Head.objects.get().seq == 9


def test_a_head_that_was_deleted_is_told_where_something_is_to_be_sealed(kept: Kept):
    tamper("DELETE FROM ledger_head")
    with pytest.raises(NoHead):
        make_checkpoint()
    assert "head of the ledger was deleted" in str(refused("export_ledger", output=kept.folder / "export"))


def test_more_keys_than_any_ledger_has_are_not_kept(db: None):
    seals = Seals()
    key = key_from_text(KEY)
    one = seal(key, 0, bytes(32), AT)
    with pytest.raises(BadCheckpoint, match="over 1,000 keys"):
        seals.take(
            [type(one)(0, one.hash, str(number), one.text, one.signature) for number in range(MOST_KEYS + 1)]
        )


MEASURED = """
import re, runpy, sys
sealed = runpy.run_path(sys.argv[1])["Sealed"]()
many = int(sys.argv[2])
for seq in range(many):
    sealed.add(seq, seq.to_bytes(32, "big"), "ab" * 32)
for seq in range(many):
    sealed.check(seq, seq.to_bytes(32, "big"))
assert sealed.between(0, many) == (many, many - 1) and len(list(sealed.of_keys())) == 1
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def test_the_stand_alone_verifier_keeps_no_checkpoint_in_memory(tmp_path: Path):
    """With four times as many it needs no more: what is beyond a small cache lies in a temporary file."""
    needed = []
    for many in (50_000, 200_000):
        command = [sys.executable, "-I", "-c", MEASURED, str(VERIFIER), str(many)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
        needed.append(int(ran.stdout))
    assert needed[1] - needed[0] <= 3, needed


def many_lines(many: int) -> bytes:
    key = key_from_text(KEY)
    return b"".join(seal(key, 10 + seq, bytes(32), AT).line().encode() + b"\n" for seq in range(many))


def test_our_own_verifier_keeps_no_checkpoint_in_memory(db: None, tmp_path: Path):
    needed = []
    for many in (3_000, 12_000):
        file = tmp_path / f"{many}.jsonl"
        file.write_bytes(many_lines(many))
        tracemalloc.start()
        assert read_seals(file, lambda: None).in_file == many
        needed.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert needed[1] < needed[0] * 1.2, needed


def test_an_export_made_after_a_crash_holds_alone(kept: Kept):
    kept.file.write_bytes(kept.file.read_bytes() + LINE[:40])
    make_checkpoint()
    path = kept.folder / "alone.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines_of(1, 9)))
    assert run_alone(path, "--key", PUBLIC)[0] == 0
