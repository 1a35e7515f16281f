"""What all checkpoints together say of the entries: read in batches, compared with the database, not kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from django.db import connection

from footprint.ledger.chain import GENESIS, moment_of
from footprint.ledger.checkpoints import MOST_KEYS, BadCheckpoint, Sealed, read
from footprint.ledger.models import Checkpoint
from footprint.ledger.sealing import checkpoints_of_file

_AT_ONCE = 1_000


@dataclass(slots=True)
class Seals:
    """`spans` are the first and the last entry that each key has sealed.

    `first_wrong` is the first entry of which a checkpoint holds another hash than the database.
    """

    in_database: int = 0
    in_file: int = 0
    farthest: int = 0
    first_wrong: int | None = None
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, sealed: Sequence[Sealed]) -> None:
        hashes = _hashes_of({each.seq for each in sealed})
        for each in sealed:
            if hashes.get(each.seq, {each.hash}) != {each.hash}:
                self.first_wrong = each.seq if self.first_wrong is None else min(each.seq, self.first_wrong)
            self.farthest = max(self.farthest, each.seq)
            first, last = self.spans.get(each.key, (each.seq, each.seq))
            self.spans[each.key] = min(first, each.seq), max(last, each.seq)
            if len(self.spans) > MOST_KEYS:
                raise BadCheckpoint(each.seq, f"its checkpoint is signed with one of over {MOST_KEYS:,} keys")


def read_seals(file: Path, told: Callable[[], None]) -> Seals:
    """Raises BadCheckpoint at the first one that is changed; `told` is called now and then."""
    seals = Seals()
    for batch in _batches(_of_database()):
        seals.take(batch)
        seals.in_database += len(batch)
        told()
    for batch in _batches(_of_file(file, seals.notes)):
        seals.take(batch)
        seals.in_file += len(batch)
        told()
    return seals


def _batches(sealed: Iterator[Sealed]) -> Iterator[list[Sealed]]:
    while batch := list(islice(sealed, _AT_ONCE)):
        yield batch


def _of_database() -> Iterator[Sealed]:
    last = 0
    while page := list(Checkpoint.objects.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        yield from map(_as_signed, page)
        last = page[-1].pk


def _as_signed(kept: Checkpoint) -> Sealed:
    sealed = read(kept.text, bytes(kept.signature))
    content: Mapping[str, object] = json.loads(kept.text)
    if (sealed.seq, sealed.key, moment_of(content.get("at"))) != (kept.seq, kept.key, kept.at):
        raise BadCheckpoint(sealed.seq, "the columns of its checkpoint say other than what was signed")
    return sealed


def _of_file(path: Path, notes: list[str]) -> Iterator[Sealed]:
    def tell_torn(torn: bytes) -> None:
        notes.append(
            f"In {path} a line of {len(torn)} bytes was torn while it was written; it counts for nothing."
        )

    try:
        yield from checkpoints_of_file(path, tell_torn)
    except FileNotFoundError:
        notes.append(f"There is no checkpoint file {path}, so only the database speaks for itself.")
    except OSError as error:
        notes.append(f"The checkpoint file {path} cannot be read: {error.strerror}.")


def _hashes_of(seqs: Iterable[int]) -> dict[int, set[bytes]]:
    hashes = {0: {GENESIS}}
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash FROM ledger_entry WHERE seq = ANY(%s)", [list(seqs)])
        for seq, digest in cursor.fetchall():
            hashes.setdefault(seq, set()).add(bytes(digest))
    return hashes
