"""A small ledger as it was written once and for all, with a key that everybody knows.

Neither format may change silently: an auditor's verifier of today must read what is written tomorrow.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from footprint.ledger.chain import canonical_json
from footprint.ledger.checkpoints import public_hex, read_line, seal
from footprint.ledger.events import Event
from footprint.ledger.exporting import lines_of
from footprint.ledger.keys import key_from_text
from footprint.ledger.models import Checkpoint, Entry, Head
from footprint.ledger.record import Actor, Origin, Subject, _Common, _Draft  # what an entry is made of
from footprint.ledger.verify import verify
from tests.footprint.ledger.kept import KEY, PUBLIC, run_alone
from tests.house import FreshDatabase

GOLDEN = Path(__file__).parent / "golden"
LINES = [json.loads(line) for line in (GOLDEN / "ledger.jsonl").read_text().splitlines()]
ENTRIES = [line for line in LINES if line["kind"] == "entry"]


@pytest.fixture
def as_then(fresh_database: FreshDatabase, settings, tmp_path: Path) -> None:
    """The database as it was when this ledger was written."""
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": KEY})
    digest = bytes(32)
    for line in ENTRIES:
        told, digest = json.loads(line["text"]), bytes.fromhex(line["hash"])
        Entry.objects.create(
            seq=told["seq"],
            at=datetime.fromisoformat(told["at"]),
            **{f"actor_{name}": told["actor"][name] for name in ("kind", "id", "name")},
            event=told["event"],
            **{f"subject_{name}": told["subject"][name] for name in ("kind", "id", "name")},
            case_number=told["case"],
            reason=told["reason"],
            request_id=told["request_id"],
            text=line["text"],
            hash=digest,
        )
    Head.objects.update(seq=len(ENTRIES), hash=digest)
    for line in (GOLDEN / "checkpoints.jsonl").read_text().splitlines():
        sealed = read_line(line)
        at = datetime.fromisoformat(json.loads(sealed.text)["at"])
        Checkpoint.objects.create(
            seq=sealed.seq, at=at, key=sealed.key, text=sealed.text, signature=sealed.signature
        )


def test_our_own_verifier_holds_and_ends_where_it_did(as_then: None):
    proven = verify(file=GOLDEN / "checkpoints.jsonl", trusted=[PUBLIC])
    assert (proven.entries, proven.sealed_to, proven.in_file) == (3, 3, 1)
    assert proven.hash.hex() == "ac35f83cfb7e93f7772e52c7008d68a16772b064560812697d0ba19f76b4d00f"


def test_an_export_is_still_written_byte_for_byte_as_then(as_then: None):
    written = "".join(f"{line}\n" for line in lines_of(1, 3))
    assert written == (GOLDEN / "ledger.jsonl").read_text()


def test_the_stand_alone_verifier_says_so_too():
    code, said = run_alone(
        GOLDEN / "ledger.jsonl", "--checkpoints", GOLDEN / "checkpoints.jsonl", "--key", PUBLIC
    )
    assert code == 0, said
    assert "Entries 1 to 3 hold, under 1 checkpoints" in said


def test_an_entry_is_still_written_byte_for_byte_as_then():
    draft = _Draft(
        Event.DECISION_MADE,
        Subject("decision", "12", "block of münchen.example, everywhere"),
        3,
        {"verdict": "undecided"},
        {"verdict": "blocked", "expires_at": None, "files": [["name", 'a "b".exe']]},
        "Beacons\neach 60 s",
    )
    at = datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)
    text = canonical_json(_Common(Actor("person", "7", "Rui"), at, Origin()).content(2, draft))
    assert text == ENTRIES[1]["text"]


def test_a_checkpoint_is_still_signed_byte_for_byte_as_then():
    line = (GOLDEN / "checkpoints.jsonl").read_text().strip()
    sealed = read_line(line)
    key = key_from_text(KEY)
    assert public_hex(key) == PUBLIC == sealed.key
    again = seal(key, sealed.seq, sealed.hash, datetime(2026, 11, 24, 11, tzinfo=UTC))
    assert again.line() == line
