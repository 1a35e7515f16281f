"""Making checkpoints: the head as it was committed is signed, written to the file, then to the database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from footprint.ledger.checkpoints import (
    LONGEST,
    Sealed,
    public_hex,
    read_lines,
    rotation_statement,
    seal,
    torn_end,
)
from footprint.ledger.events import Event
from footprint.ledger.keys import CannotSeal, key_from_text, new_key_text, replace_kept_key, signing_key
from footprint.ledger.models import Checkpoint
from footprint.ledger.record import Actor, Subject, change


class NotWritten(CannotSeal):
    """The checkpoint file cannot be written."""


class NoHead(CannotSeal):
    """There is nothing to sign."""

    def __init__(self) -> None:
        super().__init__("The head of the ledger was deleted, so nothing can be sealed.")


def checkpoint_file() -> Path:
    path: Path = settings.FOOTPRINT.checkpoint_file
    return path


_HEAD = "SELECT seq, hash, clock_timestamp() FROM ledger_head WHERE id = 1"
_ENTRY = "SELECT seq, hash, clock_timestamp() FROM ledger_entry WHERE seq = %s"


def make_checkpoint(key: Ed25519PrivateKey | None = None, *, seq: int | None = None) -> Sealed:
    """Signs the head, or entry `seq`. The file comes first: what it holds cannot be taken back."""
    key = key or signing_key()
    with connection.cursor() as cursor:
        cursor.execute(_HEAD if seq is None else _ENTRY, None if seq is None else [seq])
        found = cursor.fetchone()
    if found is None:
        raise NoHead
    seq, digest, at = found
    with _opened_file() as descriptor:
        # Nobody else adds to the file while it is looked at and written.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        end = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, LONGEST, max(0, end - LONGEST))
        sealed = seal(key, seq, bytes(digest), at, torn_end(tail))
        _add_line(descriptor, sealed.line(), joins=bool(tail) and not tail.endswith(b"\n"))
    _keep(sealed, at)
    return sealed


def make_due_checkpoint() -> Sealed | None:
    """The database tells when the last one was made, so it matters little when beat was started."""
    every = timedelta(minutes=settings.FOOTPRINT.checkpoint_minutes)
    # One from the future was made before the clock was set back.
    is_due = Q(at__lte=Now() - every) | Q(at__gt=Now())
    last = Checkpoint.objects.annotate(is_due=ExpressionWrapper(is_due, BooleanField())).first()
    return make_checkpoint() if last is None or last.is_due else None


def must_be_writable() -> None:
    """Asked before anything is written that wants a checkpoint behind it."""
    with _opened_file():
        pass


@contextmanager
def _opened_file() -> Iterator[int]:
    path = checkpoint_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            if is_new:
                _flush_folder(path.parent)
            yield descriptor
        finally:
            os.close(descriptor)
    except OSError as error:
        raise NotWritten(f"{path} cannot be written: {error.strerror}.") from error


def _flush_folder(folder: Path) -> None:
    """A file that was flushed is not there after a crash while its name is not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _add_line(descriptor: int, line: str, *, joins: bool) -> None:
    """Never joins a line that was torn, and takes nothing back: copies follow a file that only grows."""
    encoded = (b"\n" if joins else b"") + f"{line}\n".encode()
    if os.write(descriptor, encoded) < len(encoded):
        raise NotWritten("The checkpoint file took only a part of a line. Is its disk full?")
    os.fsync(descriptor)


def _keep(sealed: Sealed, at: datetime) -> None:
    Checkpoint.objects.create(
        seq=sealed.seq, at=at, key=sealed.key, text=sealed.text, signature=sealed.signature
    )


def checkpoints_of_file(path: Path, tell_torn: Callable[[bytes], None]) -> Iterator[Sealed]:
    """Raises BadCheckpoint at the first line that is none, OSError when the file cannot be read."""
    with path.open("rb") as file:
        # A line that is too long comes in pieces, and no piece is a checkpoint.
        yield from read_lines(iter(lambda: file.readline(LONGEST), b""), tell_torn)


def rotate_key(*, actor: Actor, reason: str, new_text: str | None = None) -> Sealed:
    """Goes over to another key. Both sign the entry that says so, which is what carries trust across.

    Where a key is given by a setting, the operator changes the setting afterwards.
    """
    old = signing_key()
    text = new_text or new_key_text()
    new = key_from_text(text)
    must_be_writable()
    said = rotation_statement(public_hex(old), public_hex(new))
    with change(actor=actor) as ledger:
        ledger.add(
            Event.KEY_ROTATED,
            Subject("key", public_hex(new)[:16], "checkpoints"),
            before={"key": public_hex(old), "signature": old.sign(said).hex()},
            after={"key": public_hex(new), "signature": new.sign(said).hex()},
            reason=reason,
        )
    make_checkpoint(old)
    if not settings.FOOTPRINT.ledger_key:
        replace_kept_key(text)
    return make_checkpoint(new)
