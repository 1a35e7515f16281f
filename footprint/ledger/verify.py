"""Proving the ledger in the database: its chain, its head, its columns and its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg import Cursor

from footprint.ledger.chain import GENESIS, BrokenChain, check_link, is_of, moment_of
from footprint.ledger.checkpoints import MOST_KEYS, BadCheckpoint, Rotation, keys_that_count, public_hex
from footprint.ledger.events import Event
from footprint.ledger.keys import CannotSeal, known_key
from footprint.ledger.models import Head
from footprint.ledger.sealed import Seals, read_seals
from footprint.ledger.sealing import checkpoint_file

# Rows of one statement, and how many of them come at once: while these are looked at, the database goes on.
_PAGE_ROWS = 20_000
_AT_ONCE = 500
# As canonical_json writes a text: the fast half of Python's own encoder.
_quoted: Callable[[str], str] = encode_basestring
_ROTATED = f'"event":"{Event.KEY_ROTATED.value}"'

# The database compares one half of the columns with the text, this process the other. Where the first half
# differs, its columns come along; this process then looks once more, slowly, and says which column it is.
_PAGE = """
    SELECT seq, text, hash,
           CASE WHEN starts_with(text, '{"actor":{"id":' || to_json(actor_id)
                                       || ',"kind":' || to_json(actor_kind)
                                       || ',"name":' || to_json(actor_name) || '},"address":')
                 AND strpos(text, ',"at":"'
                                  || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                                  || '","before":') > 0
                THEN NULL
                ELSE json_build_object('at', at, 'kind', actor_kind, 'id', actor_id, 'name', actor_name)::text
           END,
           case_number, event, reason, request_id, subject_id, subject_kind, subject_name
      FROM ledger_entry
     WHERE seq >= %s
     ORDER BY seq
    OFFSET %s LIMIT %s
"""
_Row = tuple[int, str, bytes, str | None, int | None, str, str, str, str, str, str]


@dataclass(slots=True)
class Proven:
    """What was found to hold. `notes` say what could not be proven, and why."""

    entries: int = 0
    hash: bytes = GENESIS
    checkpoints: int = 0
    in_file: int = 0
    sealed_to: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def unsealed(self) -> int:
        return self.entries - self.sealed_to

    def in_words(self) -> str:
        words = f"{_counted(self.entries, 'entry', 'entries')} checked, all hold;"
        words += f" {_counted(self.checkpoints, 'checkpoint', 'checkpoints')} of the database"
        words += f" and {self.in_file:,} of the file fit."
        if self.unsealed:
            words += f" Under no checkpoint yet: {_counted(self.unsealed, 'entry', 'entries')} at the end."
        return " ".join([words, *self.notes])


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def verify(
    *,
    file: Path | None = None,
    trusted: Iterable[str] = (),
    progress: Callable[[int, int], None] = lambda checked, total: None,
) -> Proven:
    """Reads the whole ledger once, page by page; raises BrokenChain at the first thing that is wrong."""
    proven = Proven()
    head = _head()
    try:
        seals = read_seals(file or checkpoint_file(), lambda: progress(0, head.seq))
    except BadCheckpoint as error:
        raise BrokenChain(error.seq, error.why) from error
    proven.notes += seals.notes
    counting = {key.lower() for key in trusted} or _own_key(proven)
    # What no checkpoint seals may be anything, hashed anew. Of a sealed text only both ends are looked at.
    unproven_after = seals.farthest if counting else 0
    rotations = _follow_entries(proven, head.seq, seals.first_wrong, unproven_after, progress)
    _check_head(proven, head)
    if seals.farthest > proven.entries:
        raise BrokenChain(proven.entries + 1, f"it is missing; a checkpoint speaks of entry {seals.farthest}")
    _check_keys(seals, rotations, counting)
    proven.checkpoints, proven.in_file, proven.sealed_to = seals.in_database, seals.in_file, seals.farthest
    return proven


def _follow_entries(
    proven: Proven,
    total: int,
    wrong: int | None,
    unproven_after: int,
    progress: Callable[[int, int], None],
) -> list[Rotation]:
    rotations: list[Rotation] = []
    previous, expected, is_last = GENESIS, 1, False
    if wrong == 0:
        raise _written_anew(0)
    while not is_last:
        began = expected
        for row in _page_after(expected - 1):
            seq, text, digest, doubtful = row[:4]
            check_link(seq, text, digest, previous, expected)
            if doubtful or not text.endswith(_end_of(row)):
                _check_columns(row)
            elif seq > unproven_after and not is_of(text, seq):
                raise BrokenChain(seq, "the text belongs to another entry")
            if seq == wrong:
                raise _written_anew(seq)
            if _ROTATED in text:
                rotations += _rotation_in(seq, text)
                if len(rotations) > MOST_KEYS:
                    raise BrokenChain(seq, f"it is one of over {MOST_KEYS:,} changes of keys")
            previous, expected = digest, expected + 1
        is_last = expected - began < _PAGE_ROWS
        progress(expected - 1, max(total, expected - 1))
    proven.entries, proven.hash = expected - 1, previous
    return rotations


def _page_after(last: int) -> Iterator[_Row]:
    """Rows in a statement of their own, so that what is written between, as the progress, is seen by others.

    Entries are only added, so the pages fit together. A page begins at the last number of the one before and
    passes over one entry: a second one of that number comes up.
    """
    begin = [last, 1] if last else [-(2**63), 0]
    connection.ensure_connection()
    # Django's own cursor puts the values into the text itself, and so cannot ask for binary answers.
    with Cursor(connection.connection) as cursor:
        yield from cursor.stream(_PAGE, [*begin, _PAGE_ROWS], binary=True, size=_AT_ONCE)


def _end_of(row: _Row) -> str:
    """What the text must end with, going by the columns."""
    seq, _, _, _, case, event, reason, request_id, subject_id, subject_kind, subject_name = row
    return (
        f',"case":{"null" if case is None else case},"event":{_quoted(event)},"reason":{_quoted(reason)}'
        f',"request_id":{_quoted(request_id)},"seq":{seq},"subject":{{"id":{_quoted(subject_id)}'
        f',"kind":{_quoted(subject_kind)},"name":{_quoted(subject_name)}}}}}'
    )


def _written_anew(seq: int) -> BrokenChain:
    return BrokenChain(seq, "a checkpoint holds another hash of it: it, or one before it, was written anew")


def _check_columns(row: _Row) -> None:
    seq, text, _, doubtful, case, event, reason, request_id, subject_id, subject_kind, subject_name = row
    if not is_of(text, seq):
        raise BrokenChain(seq, "the text belongs to another entry")
    told: dict[str, Any] = json.loads(text)
    same = {
        "time": True,
        "actor": True,
        "event": told.get("event") == event,
        "subject": told.get("subject") == {"kind": subject_kind, "id": subject_id, "name": subject_name},
        "case": told.get("case", "") == case,
        "reason": told.get("reason") == reason,
        "request id": told.get("request_id") == request_id,
    }
    if doubtful:
        actor = json.loads(doubtful)
        at = moment_of(actor.pop("at"))
        same |= {
            "time": at is not None and at == moment_of(told.get("at")),
            "actor": told.get("actor") == actor,
        }
    changed = [name for name, is_same in same.items() if not is_same]
    if changed:
        raise BrokenChain(seq, f"beside its text it says otherwise: {', '.join(changed)}")


def _rotation_in(seq: int, text: str) -> list[Rotation]:
    try:
        told = json.loads(text)
        if told["event"] != Event.KEY_ROTATED:
            return []
        old, new = told["before"], told["after"]
        signatures = str(old.get("signature", "")), str(new.get("signature", ""))
        rotation = Rotation(seq, str(old["key"]).lower(), str(new["key"]).lower(), *signatures)
        # One that carries no trust is not kept: whoever owns the database could write any number of them.
        return [rotation] if rotation.is_signed else []
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BrokenChain(seq, "it tells of a change of keys, but not of both keys") from error


def _head() -> Head:
    head = Head.objects.first()
    if head is None:
        raise BrokenChain(0, "the head of the ledger was deleted")
    return head


def _check_head(proven: Proven, head: Head) -> None:
    """Entries may have come meanwhile, but then the head has moved with them."""
    now = _head()
    if head.seq > proven.entries:
        raise BrokenChain(proven.entries + 1, f"it is missing; the head of the ledger stands at {head.seq}")
    if now.seq < proven.entries:
        raise BrokenChain(now.seq + 1, f"it stands behind the head of the ledger, which is at {now.seq}")
    last = now if now.seq == proven.entries else head
    if last.seq == proven.entries and bytes(last.hash) != proven.hash:
        raise BrokenChain(proven.entries, "the head of the ledger holds another hash of it")


def _check_keys(seals: Seals, rotations: list[Rotation], trusted: set[str]) -> None:
    if not trusted:
        return
    counting = keys_that_count(trusted, rotations, {key: last for key, (_, last) in seals.spans.items()})
    for key, (first, _) in sorted(seals.spans.items(), key=lambda each: each[1]):
        if key not in counting:
            raise BrokenChain(first, f"its checkpoint is signed with the unknown key {key[:16]}…")


def _own_key(proven: Proven) -> set[str]:
    try:
        return {public_hex(known_key())}
    except CannotSeal as error:
        proven.notes.append(f"{error} Whose checkpoints they are was not checked.")
        return set()
