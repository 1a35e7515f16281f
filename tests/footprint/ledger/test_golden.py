"""A small ledger as it was written once and for all, with a key that everybody knows.

Neither format may change silently: an auditor's verifier of today must read what is written tomorrow.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from footprint.ledger.chain import Link, canonical_json, follow
from footprint.ledger.checkpoints import public_hex, read_line, seal
from footprint.ledger.events import Event
from footprint.ledger.keys import key_from_text
from footprint.ledger.record import Actor, Origin, Subject, _Common, _Draft  # what an entry is made of
from tests.footprint.ledger.kept import KEY, PUBLIC, run_alone

GOLDEN = Path(__file__).parent / "golden"
LINES = [json.loads(line) for line in (GOLDEN / "ledger.jsonl").read_text().splitlines()]
ENTRIES = [line for line in LINES if line["kind"] == "entry"]


def test_our_own_chain_holds_and_ends_where_it_did():
    links = [Link(seq, each["text"], bytes.fromhex(each["hash"])) for seq, each in enumerate(ENTRIES, 1)]
    seq, digest = follow(links)
    assert (seq, digest.hex()) == (3, "ac35f83cfb7e93f7772e52c7008d68a16772b064560812697d0ba19f76b4d00f")


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
