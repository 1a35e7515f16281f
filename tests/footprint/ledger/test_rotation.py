"""Which keys count: trust goes along rotations that both keys signed, and never past a thief."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footprint.ledger.chain import BrokenChain
from footprint.ledger.checkpoints import public_hex, rotation_statement
from footprint.ledger.events import Event
from footprint.ledger.keys import key_from_text, signing_key
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.sealing import make_checkpoint, rotate_key
from footprint.ledger.verify import verify
from tests.footprint.ledger.kept import NEXT_KEY, PUBLIC, Kept, add


def test_a_rotated_key_is_trusted_from_the_old_and_from_the_new_one(kept: Kept, settings):
    rotated = rotate_key(actor=Actor.command("tests"), reason="yearly", new_text=NEXT_KEY)
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": NEXT_KEY})
    add("j")
    make_checkpoint()
    assert verify().checkpoints == 4
    assert verify(trusted=[PUBLIC]).unsealed == 0
    assert kept.alone("--key", PUBLIC)[0] == 0
    assert kept.alone("--key", rotated.key)[0] == 0
    assert Entry.objects.get(event=Event.KEY_ROTATED).content["after"]["key"] == rotated.key


@pytest.fixture
def thief() -> Ed25519PrivateKey:
    return key_from_text(NEXT_KEY)


def write_rotation(old: dict[str, str], new: dict[str, str]) -> None:
    with change(actor=Actor.command("rotate_ledger_key")) as ledger:
        ledger.add(Event.KEY_ROTATED, Subject("key", "x", "checkpoints"), before=old, after=new)


def no_trust_is_carried(kept: Kept) -> None:
    with pytest.raises(BrokenChain, match="unknown key"):
        verify()
    assert kept.alone("--key", PUBLIC)[0] == 1


@pytest.mark.parametrize("forged", [{}, {"signature": ""}, {"signature": "no hex"}, {"signature": "ab" * 64}])
def test_a_thiefs_rotation_carries_no_trust_though_the_old_key_sealed_it_unseen(
    kept: Kept, thief: Ed25519PrivateKey, forged: dict[str, str]
):
    new = public_hex(thief)
    signed = thief.sign(rotation_statement(PUBLIC, new)).hex()
    write_rotation({"key": PUBLIC, **forged}, {"key": new, "signature": signed})
    make_checkpoint()
    make_checkpoint(thief)
    no_trust_is_carried(kept)


def test_a_thiefs_key_is_not_taken_for_the_one_before_ours(kept: Kept, thief: Ed25519PrivateKey):
    old = public_hex(thief)
    signed = thief.sign(rotation_statement(old, PUBLIC)).hex()
    write_rotation({"key": old, "signature": signed}, {"key": PUBLIC})
    make_checkpoint(thief)
    make_checkpoint()
    no_trust_is_carried(kept)


def test_a_signed_rotation_that_the_old_key_never_sealed_carries_no_trust(
    kept: Kept, thief: Ed25519PrivateKey
):
    new = public_hex(thief)
    said = rotation_statement(PUBLIC, new)
    write_rotation(
        {"key": PUBLIC, "signature": signing_key().sign(said).hex()},
        {"key": new, "signature": thief.sign(said).hex()},
    )
    make_checkpoint(thief)
    no_trust_is_carried(kept)
