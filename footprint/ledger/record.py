"""Writing the ledger: `with change(actor=…) as ledger:` is the transaction of one action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from footprint.accounts.models import Person
from footprint.ledger.chain import canonical_json, moment_text, next_hash
from footprint.ledger.events import Event


class HeadDeleted(RuntimeError):
    """Nothing can be changed: what is not in the ledger must not happen, and no entry can follow."""


class NestedChange(RuntimeError):
    """An action was called inside another one's transaction; its entries would lock the head too early."""


class UntoldChange(ValueError):
    """A programming error: an entry says that something changed, and not from what to what."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, with the name as it was then. kind: person, clock, run, command or token."""

    kind: str
    id: str
    name: str

    @classmethod
    def person(cls, person: Person) -> Actor:
        return cls("person", str(person.pk), str(person))

    @classmethod
    def clock(cls, name: str) -> Actor:
        return cls("clock", name, name)

    @classmethod
    def run(cls, number: int) -> Actor:
        return cls("run", str(number), f"run {number}")

    @classmethod
    def command(cls, name: str) -> Actor:
        return cls("command", name, f"command {name}")

    @classmethod
    def token(cls, ending: str, consumer: str) -> Actor:
        """A feed's consumer by its token, of which nobody but the consumer has more than the ending."""
        return cls("token", ending, f"{consumer}, token …{ending}" if ending else consumer)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry speaks of: kind (case, decision, run …), id and its name as it was then."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change came from: the request's id and the client's address, empty outside a request."""

    request_id: str = ""
    address: str = ""


_NOWHERE = Origin()
ORIGIN: ContextVar[Origin] = ContextVar("ORIGIN", default=_NOWHERE)
_UNDERWAY: ContextVar[bool] = ContextVar("_UNDERWAY", default=False)


# Entries of these say what it was before and what it is now, and the two differ.
_CHANGES = frozenset(
    {
        *("changed", "assigned", "switched", "paused", "resumed", "revoked", "deactivated", "reactivated"),
        *("watched", "closed", "reopened", "unlocked"),
    }
)


@dataclass(frozen=True, slots=True)
class _Draft:
    event: Event
    subject: Subject
    case_number: int | None
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    reason: str


@dataclass(slots=True)
class Change:
    actor: Actor
    drafts: list[_Draft] = field(default_factory=list)

    def add(
        self,
        event: Event,
        subject: Subject,
        *,
        case_number: int | None = None,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
        reason: str = "",
    ) -> None:
        """Notes an entry; all are appended together as the transaction's last statements."""
        if event.rpartition(":")[2] in _CHANGES and (before is None or after is None or before == after):
            raise UntoldChange(f"{event} with before {before} and after {after}")
        self.drafts.append(_Draft(event, subject, case_number, before, after, reason))


@contextmanager
def change(*, actor: Actor) -> Iterator[Change]:
    if _UNDERWAY.get():
        raise NestedChange
    token = _UNDERWAY.set(True)
    try:
        with transaction.atomic():
            noted = Change(actor)
            yield noted
            if noted.drafts:
                _append(noted)
    finally:
        _UNDERWAY.reset(token)


def _append(noted: Change) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash FROM ledger_head WHERE id = 1 FOR UPDATE")
        head = cursor.fetchone()
        if head is None:
            raise HeadDeleted
        seq, previous = head
        # A statement of its own: asked together with the lock, the time could be from before the wait.
        cursor.execute("SELECT clock_timestamp()")
        (at,) = cursor.fetchone()
        previous = bytes(previous)
        common = _Common(noted.actor, at, ORIGIN.get())
        lines = []
        for draft in noted.drafts:
            seq += 1
            text = canonical_json(common.content(seq, draft))
            previous = next_hash(previous, text)
            lines.append(common.line(seq, draft, text, previous))
        # Thousands of entries of a bulk decision as fast as one: nothing is quoted, nothing is planned.
        with cursor.copy(_COPY) as copy:
            copy.write("".join(lines))
        cursor.execute("UPDATE ledger_head SET seq = %s, hash = %s WHERE id = 1", [seq, previous])


_COPY = """
    COPY ledger_entry (seq, at, actor_kind, actor_id, actor_name, event, subject_kind, subject_id,
                       subject_name, case_number, reason, request_id, text, hash) FROM STDIN
"""


_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _column(text: str) -> str:
    """As COPY reads a text."""
    return text if "\\" not in text and text.isprintable() else text.translate(_ESCAPES)


class _Common:
    """What the entries of a change have in common, told once."""

    def __init__(self, actor: Actor, at: datetime, origin: Origin) -> None:
        self._content = {
            "at": moment_text(at),
            "actor": {"kind": actor.kind, "id": actor.id, "name": actor.name},
            "request_id": origin.request_id,
            "address": origin.address,
        }
        self._at_and_actor = "\t".join(map(_column, (at.isoformat(), actor.kind, actor.id, actor.name)))
        self._request_id = _column(origin.request_id)

    def content(self, seq: int, draft: _Draft) -> dict[str, object]:
        return {
            **self._content,
            "seq": seq,
            "event": draft.event.value,
            "subject": {"kind": draft.subject.kind, "id": draft.subject.id, "name": draft.subject.name},
            "case": draft.case_number,
            "before": draft.before,
            "after": draft.after,
            "reason": draft.reason,
        }

    def line(self, seq: int, draft: _Draft, text: str, digest: bytes) -> str:
        """In the order of _COPY."""
        subject = draft.subject
        case_number = _NULL if draft.case_number is None else str(draft.case_number)
        return (
            f"{seq}\t{self._at_and_actor}\t{draft.event.value}\t{_column(subject.kind)}\t"
            f"{_column(subject.id)}\t{_column(subject.name)}\t{case_number}\t{_column(draft.reason)}\t"
            f"{self._request_id}\t{_column(text)}\t\\\\x{digest.hex()}\n"
        )
