"""Signed heads of the ledger, without a database: what is signed, and how a line of the file looks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from footprint.ledger.chain import canonical_json, moment_text

# A line longer than this is none of ours; neither is so much left over by crashes.
LONGEST = 64 * 1024
# A key is changed once a year or so. Of each key two numbers are kept, so their number must have an end.
MOST_KEYS = 1_000
_BEGINNING = b'{"kind":"checkpoint","signature":"'


class BadCheckpoint(Exception):
    """A line is no checkpoint, or its signature does not fit; `seq` is the entry it speaks of, or 0."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(why)
        self.seq = seq
        self.why = why


@dataclass(frozen=True, slots=True)
class Sealed:
    """One checkpoint: `text` is the canonical JSON, byte for byte what was signed.

    `torn` is the SHA-256, in hex, of the torn lines that stand before it in the file; empty when none do.
    """

    seq: int
    hash: bytes
    key: str
    text: str
    signature: bytes
    torn: str = ""

    def line(self) -> str:
        """As it stands in the checkpoint file and in every export."""
        return checkpoint_line(self.text, self.signature)


def checkpoint_line(text: str, signature: bytes) -> str:
    return canonical_json({"kind": "checkpoint", "signature": signature.hex(), "text": text})


def seal(key: Ed25519PrivateKey, seq: int, digest: bytes, at: datetime, torn: bytes = b"") -> Sealed:
    public = public_hex(key)
    content: dict[str, object] = {
        "at": moment_text(at),
        "hash": digest.hex(),
        "key": public,
        "kind": "checkpoint",
        "seq": seq,
    }
    if torn:
        content["torn"] = digest_of_torn(torn)
    text = canonical_json(content)
    return Sealed(seq, digest, public, text, key.sign(text.encode()), str(content.get("torn", "")))


def digest_of_torn(torn: bytes) -> str:
    return hashlib.sha256(torn).hexdigest()


def public_hex(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def read_line(line: str | bytes) -> Sealed:
    """A checkpoint whose signature fits the key it names; whether that key counts is another question."""
    try:
        told = json.loads(line)
        return read(told["text"], bytes.fromhex(told["signature"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadCheckpoint(0, "a line of the checkpoints is not a checkpoint") from error


def read(text: str, signature: bytes) -> Sealed:
    try:
        content: Any = json.loads(text)
        seq, digest, raw_key = content["seq"], bytes.fromhex(content["hash"]), bytes.fromhex(content["key"])
        torn = str(content.get("torn", ""))
        public = Ed25519PublicKey.from_public_bytes(raw_key)
        is_one = content["kind"] == "checkpoint" and len(digest) == 32
        is_one = is_one and type(seq) is int and 0 <= seq < 2**63
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadCheckpoint(0, "a checkpoint cannot be read") from error
    if not is_one:
        raise BadCheckpoint(0, "a checkpoint cannot be read")
    try:
        public.verify(signature, text.encode())
    except InvalidSignature as error:
        raise BadCheckpoint(seq, "the checkpoint was changed: its signature does not fit") from error
    return Sealed(seq, digest, raw_key.hex(), text, signature, torn)


def read_lines(
    lines: Iterable[bytes], tell_torn: Callable[[bytes], None] = lambda torn: None
) -> Iterator[Sealed]:
    """All checkpoints of a file. A torn line is passed over where nobody could gain by it, and told.

    That is at the end of the file, where cutting the line off would leave no trace at all, and before a
    checkpoint that speaks of it: only the owner of the key can make one.
    """
    torn = b""
    for line in lines:
        content = line.rstrip(b"\n")
        if not content.strip():
            continue
        if is_torn(content):
            torn += content + b"\n"
            if len(torn) > LONGEST:
                break
            continue
        sealed = read_line(content)
        if torn and sealed.torn != digest_of_torn(torn):
            break
        if torn:
            tell_torn(torn)
            torn = b""
        yield sealed
    else:
        if torn:
            tell_torn(torn)
        return
    raise BadCheckpoint(0, "a line of the checkpoints is not a checkpoint")


def is_torn(content: bytes) -> bool:
    """Whether it is the beginning of a line, as a crash leaves it, or the zeros of a block never written."""
    left = content.rstrip(b"\0")
    if left[: len(_BEGINNING)] != _BEGINNING[: len(left)]:
        return False
    try:
        json.loads(left)
    except RecursionError:
        # Nested as nothing of ours is: it was not a crash that made it.
        return False
    except ValueError:
        return True
    return False


def torn_end(tail: bytes) -> bytes:
    """The torn lines at the end of a file, as `read_lines` will see them when another line follows."""
    fragments: list[bytes] = []
    for content in reversed(tail.split(b"\n")):
        if not content.strip():
            continue
        if not is_torn(content):
            break
        fragments.insert(0, content + b"\n")
    return b"".join(fragments)


@dataclass(frozen=True, slots=True)
class Rotation:
    """An entry that says which key follows which, and the signature of each over that."""

    seq: int
    old: str
    new: str
    signature_of_old: str
    signature_of_new: str

    @property
    def is_signed(self) -> bool:
        said = rotation_statement(self.old, self.new)
        return _is_signed(said, self.old, self.signature_of_old) and _is_signed(
            said, self.new, self.signature_of_new
        )


def rotation_statement(old: str, new: str) -> bytes:
    """What both keys sign when one takes the place of the other."""
    return f"footprint ledger key {old} gives way to {new}".encode()


def _is_signed(said: bytes, key: str, signature: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), said)
    except (ValueError, InvalidSignature):
        return False
    return True


def keys_that_count(
    trusted: Iterable[str], rotations: Iterable[Rotation], sealed_up_to: dict[str, int]
) -> set[str]:
    """From the trusted keys along signed rotations that the known one of both keys has sealed itself.

    Whoever gets hold of the database alone can write a rotation, and wait until the hourly checkpoint seals
    it unseen, but has no signature of our key under it.
    """
    counting = set(trusted)
    rotations = list(rotations)
    while True:
        led_to = {
            other
            for each in rotations
            for known, other in ((each.old, each.new), (each.new, each.old))
            if known in counting and sealed_up_to.get(known, -1) >= each.seq
        }
        if led_to <= counting:
            return counting
        counting |= led_to
