"""Making checkpoints: the head as it was committed is signed, written to the file, then to the database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection

from footprint.ledger.checkpoints import Sealed, public_hex, read_lines, seal
from footprint.ledger.events import Event
from footprint.ledger.keys import CannotSeal, key_from_text, new_key_text, replace_kept_key, signing_key
from footprint.ledger.models import Checkpoint
from footprint.ledger.record import Actor, Subject, change


class NotWritten(CannotSeal):
    """The checkpoint file cannot be written."""


def checkpoint_file() -> Path:
    path: Path = settings.FOOTPRINT.checkpoint_file
    return path


def make_checkpoint(key: Ed25519PrivateKey | None = None) -> Sealed:
    """Signs the head. The file comes first: what it holds cannot be taken back with the database."""
    key = key or signing_key()
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash, clock_timestamp() FROM ledger_head WHERE id = 1")
        seq, digest, at = cursor.fetchone()
    sealed = seal(key, seq, bytes(digest), at)
    _add_to_file(sealed)
    _keep(sealed, at)
    return sealed


def _add_to_file(sealed: Sealed) -> None:
    path = checkpoint_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            _add_line(descriptor, sealed.line())
        finally:
            os.close(descriptor)
    except OSError as error:
        raise NotWritten(f"{path} cannot be written: {error.strerror}.") from error


def _add_line(descriptor: int, line: str) -> None:
    """A whole line or nothing, whoever else adds; it never joins one that a crash has torn."""
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    end = os.fstat(descriptor).st_size
    is_torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
    encoded = (b"\n" if is_torn else b"") + f"{line}\n".encode()
    if os.write(descriptor, encoded) < len(encoded):
        os.ftruncate(descriptor, end)
        raise NotWritten("The checkpoint file took only a part of a line. Is its disk full?")
    os.fsync(descriptor)


def _keep(sealed: Sealed, at: datetime) -> None:
    Checkpoint.objects.create(
        seq=sealed.seq, at=at, key=sealed.key, text=sealed.text, signature=sealed.signature
    )


def checkpoints_of_file(path: Path) -> Iterator[Sealed]:
    """Raises BadCheckpoint at the first line that is none, OSError when the file cannot be read."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        yield from read_lines(lines)


def rotate_key(*, actor: Actor, reason: str, new_text: str | None = None) -> Sealed:
    """Goes over to another key. Both sign the entry that says so, which is what carries trust across.

    Where a key is given by a setting, the operator changes the setting afterwards.
    """
    old = signing_key()
    text = new_text or new_key_text()
    new = key_from_text(text)
    with change(actor=actor) as ledger:
        ledger.add(
            Event.KEY_ROTATED,
            Subject("key", public_hex(new)[:16], "checkpoints"),
            before={"key": public_hex(old)},
            after={"key": public_hex(new)},
            reason=reason,
        )
    make_checkpoint(old)
    if not settings.FOOTPRINT.ledger_key:
        replace_kept_key(text)
    return make_checkpoint(new)
