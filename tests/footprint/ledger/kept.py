"""A small ledger with checkpoints, and what somebody who owns the tables can do to it."""

from __future__ import annotations

import base64
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection

from footprint.configuration import CHECKOUT
from footprint.ledger.chain import next_hash
from footprint.ledger.checkpoints import public_hex
from footprint.ledger.events import Event
from footprint.ledger.exporting import lines_of
from footprint.ledger.keys import key_from_text
from footprint.ledger.models import Entry, Head
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.sealing import make_checkpoint
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

    def exported(self) -> Path:
        """What is in the database now."""
        path = self.folder / "export.jsonl"
        last = Entry.objects.order_by("-seq").values_list("seq", flat=True)[0]
        path.write_text("".join(f"{line}\n" for line in lines_of(1, last)))
        return path

    def alone(self, *more: str, with_file: bool = True) -> tuple[int, str]:
        """What the stand-alone verifier says of an export of what is in the database now."""
        return run_alone(self.exported(), *(["--checkpoints", str(self.file)] if with_file else []), *more)


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


def replace_the_tail() -> None:
    change_one()
    Entry.objects.filter(seq=3).update(reason="x")
    rehash_from(3)


def refused(command: str, **options: object) -> CommandError:
    with pytest.raises(CommandError) as error:
        call_command(command, **options)
    return error.value
