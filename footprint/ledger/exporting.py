"""A range of the ledger as JSON lines that prove themselves offline; docs/ledger.md tells the format."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO

from django.db import connection, transaction

from footprint.ledger.chain import GENESIS, canonical_json
from footprint.ledger.checkpoints import checkpoint_line
from footprint.ledger.events import Event
from footprint.ledger.keys import signing_key
from footprint.ledger.models import Checkpoint, Entry, Head
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.sealing import NoHead, make_checkpoint, must_be_writable

FORMAT = 1
_AT_ONCE = 1_000
# Up to here an export stays in memory; longer ones go to a temporary file.
_IN_MEMORY = 8 * 1024 * 1024


class NoSuchRange(Exception):
    """The ledger has no such entries."""


@dataclass(frozen=True, slots=True)
class Export:
    """`content` stands at its beginning; the caller closes it."""

    content: IO[bytes]
    filename: str
    first: int
    last: int
    sha256: str


def export(*, actor: Actor, first: int = 1, last: int | None = None) -> Export:
    """The entry about it and a checkpoint of its end come first, so an export holds and seals itself."""
    # Asked for before anything is written: without key or file there is no export, and no entry about one.
    key = signing_key()
    must_be_writable()
    with change(actor=actor) as ledger:
        locked = Head.objects.select_for_update().first()
        if locked is None:
            raise NoHead
        head = locked.seq
        if not 1 <= first <= (last or head) <= head:
            raise NoSuchRange(f"The ledger goes from 1 to {head}.")
        # This entry is the next one and the only one of its change.
        end = last or head + 1
        ledger.add(
            Event.LEDGER_EXPORTED,
            Subject("ledger", f"{first}-{end}", f"entries {first} to {end}"),
            after={"from": first, "to": end},
        )
    # Of the end itself: the head may have moved on, and a checkpoint behind the end would not be in here.
    make_checkpoint(key, seq=end)
    if last is not None:
        # Last, because the clock goes by the newest one: a part must not put off sealing the head.
        make_checkpoint(key)
    with ExitStack() as closed_on_failure:
        content = closed_on_failure.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        digest = hashlib.sha256()
        for line in lines_of(first, end):
            encoded = f"{line}\n".encode()
            digest.update(encoded)
            content.write(encoded)
        content.seek(0)
        closed_on_failure.pop_all()
    return Export(content, f"ledger-{first}-{end}.jsonl", first, end, digest.hexdigest())


def lines_of(first: int, last: int) -> Iterator[str]:
    before = Entry.objects.filter(seq=first - 1).values_list("hash", flat=True).first()
    previous = bytes(before) if before is not None else GENESIS
    yield canonical_json(
        {"kind": "ledger", "format": FORMAT, "from": first, "to": last, "previous": previous.hex()}
    )
    found = Checkpoint.objects.filter(seq__range=(first - 1, last)).order_by("pk")
    for text, signature in found.values_list("text", "signature").iterator(_AT_ONCE):
        yield checkpoint_line(text, bytes(signature))
    count, digest = 0, previous
    for text, digest in _entries(first, last):
        count += 1
        yield canonical_json({"kind": "entry", "hash": digest.hex(), "text": text})
    yield canonical_json({"kind": "end", "entries": count, "hash": digest.hex()})


def _entries(first: int, last: int) -> Iterator[tuple[str, bytes]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT text, hash FROM ledger_entry WHERE seq BETWEEN %s AND %s ORDER BY seq", [first, last]
        )
        while rows := cursor.fetchmany(_AT_ONCE):
            for text, digest in rows:
                yield text, bytes(digest)
