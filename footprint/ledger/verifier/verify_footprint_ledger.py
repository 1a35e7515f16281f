#!/usr/bin/env python3
"""Verifies an export of a Footprint ledger, offline and without Footprint.

    python verify_footprint_ledger.py EXPORT.jsonl [--checkpoints CHECKPOINTS.jsonl] [--key HEX]...

Needs Python 3.9 or newer. Signatures are checked with the package `cryptography`; without it everything
else is checked. Ends with 0: all holds; 1: something is wrong, its first entry is named; 2: a file cannot
be read; 3: the chain holds, but signatures were not checked.

What it checks, in this order (docs/ledger.md of Footprint describes the format):
 1. every checkpoint is signed by the key it names, in the export and in the file given beside it;
 2. entries are numbered without gap, and each hash is SHA-256(hash before + text);
 3. where a checkpoint speaks of an entry, both have the same hash, and no checkpoint speaks of an entry
    that is missing at the end;
 4. the last line says how many entries there are and where they end;
 5. every key is one of --key, or is bound to one by an entry about a change of keys that the known one of
    both keys has sealed.
"""

import argparse
import hashlib
import json
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

HOLDS, BROKEN, UNREADABLE, UNSIGNED = 0, 1, 2, 3
KEY_ROTATED = "ledger:key:rotated"


class Broken(Exception):
    def __init__(self, seq, why):
        super().__init__(f"Entry {seq}: {why}")


class Unreadable(Exception):
    pass


def lines_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield parsed(line, f"{path}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error


def parsed(line, where):
    try:
        content = json.loads(line)
    except ValueError as error:
        raise Unreadable(f"{where} is not JSON") from error
    if not isinstance(content, dict):
        raise Unreadable(f"{where} is not an object")
    return content


def read_checkpoint(line):
    """(seq, hash, key) of one checkpoint line; its signature must fit the key that it names."""
    try:
        text, signature = line["text"], bytes.fromhex(line["signature"])
        told = json.loads(text)
        seq, digest, key = told["seq"], bytes.fromhex(told["hash"]), told["key"]
        is_one = told["kind"] == "checkpoint" and type(seq) is int and seq >= 0 and len(digest) == 32
        raw_key, signed = bytes.fromhex(key), text.encode()
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(0, "a checkpoint cannot be read") from error
    if not is_one or len(raw_key) != 32:
        raise Broken(0, "a checkpoint cannot be read")
    if Ed25519PublicKey is not None:
        try:
            Ed25519PublicKey.from_public_bytes(raw_key).verify(signature, signed)
        except InvalidSignature as error:
            raise Broken(seq, "the checkpoint was changed: its signature does not fit") from error
    return seq, digest, raw_key.hex()


class Verifier:
    def __init__(self):
        self.sealed = {}  # seq: the hashes that checkpoints hold of it
        self.sealed_up_to = {}  # key: the last entry it has sealed
        self.first_sealed = {}  # key: the first one, to name it
        self.rotations = []  # (seq, old key, new key)
        self.header = None
        self.hash = None
        self.next = None
        self.ended = False

    def take_checkpoint(self, line):
        if self.header is not None and self.next != self.header["from"]:
            raise Unreadable("a checkpoint stands behind an entry; all belong before the first one")
        seq, digest, key = read_checkpoint(line)
        self.sealed.setdefault(seq, set()).add(digest)
        self.sealed_up_to[key] = max(seq, self.sealed_up_to.get(key, 0))
        self.first_sealed[key] = min(seq, self.first_sealed.get(key, seq))
        if self.header is not None:
            self.check_sealed(self.next - 1)

    def take(self, line):
        kind = line.get("kind")
        if self.header is None:
            self.take_header(line)
        elif self.ended:
            raise Unreadable("something follows after the end of the export")
        elif kind == "checkpoint":
            self.take_checkpoint(line)
        elif kind == "entry":
            self.take_entry(line)
        elif kind == "end":
            self.take_end(line)
        else:
            raise Unreadable(f"a line of the unknown kind {kind!r}")

    def take_header(self, line):
        try:
            if line["kind"] != "ledger" or line["format"] != 1:
                raise Unreadable("this is no export of a Footprint ledger of format 1")
            self.hash = bytes.fromhex(line["previous"])
            self.next, self.last = line["from"], line["to"]
        except (KeyError, ValueError, TypeError) as error:
            raise Unreadable("the first line is no header of an export") from error
        if type(self.next) is not int or type(self.last) is not int or not 1 <= self.next <= self.last:
            raise Unreadable("the first line is no header of an export")
        if self.next == 1 and self.hash != bytes(32):
            raise Broken(1, "something is said to stand before the first entry")
        self.header = line
        self.check_sealed(self.next - 1)

    def take_entry(self, line):
        expected = self.next
        try:
            text, digest = line["text"], bytes.fromhex(line["hash"])
            hashed = self.hash + text.encode()
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise Broken(expected, "its line is not an entry") from error
        if hashlib.sha256(hashed).digest() != digest:
            seq = self.seq_in(text)
            if isinstance(seq, int) and seq > expected:
                raise Broken(expected, f"it is missing; the next one there is {seq}")
            if isinstance(seq, int) and seq < expected:
                raise Broken(seq, "there is more than one entry with this number, or they are out of order")
            raise Broken(expected, "the hash does not follow from the entry before and the text")
        seq = self.seq_in(text)
        if seq != expected:
            raise Broken(expected, "the text belongs to another entry")
        self.hash, self.next = digest, expected + 1
        self.check_sealed(expected)
        if KEY_ROTATED in text:
            told = json.loads(text)
            if told.get("event") == KEY_ROTATED:
                self.rotations.append((seq, *self.keys_in(seq, told)))

    @staticmethod
    def keys_in(seq, told):
        try:
            return told["before"]["key"].lower(), told["after"]["key"].lower()
        except (KeyError, TypeError, AttributeError) as error:
            raise Broken(seq, "it tells of a change of keys, but not of both keys") from error

    @staticmethod
    def seq_in(text):
        try:
            told = json.loads(text)
        except ValueError:
            return None
        return told.get("seq") if isinstance(told, dict) else None

    def check_sealed(self, seq):
        if self.sealed.get(seq, {self.hash}) != {self.hash}:
            raise Broken(seq, "a checkpoint holds another hash of it: it, or one before it, was written anew")

    def take_end(self, line):
        if self.next <= self.last:
            raise Broken(self.next, f"it is missing; the export is to go to entry {self.last}")
        if line.get("hash") != self.hash.hex() or line.get("entries") != self.next - self.header["from"]:
            raise Broken(self.next - 1, "the last line of the export says otherwise")
        self.ended = True

    def finish(self, trusted, goes_to_the_end):
        if self.header is None:
            raise Unreadable("the export is empty")
        if not self.ended:
            raise Broken(self.next, "it is missing; the export breaks off")
        farthest = max(self.sealed, default=0)
        if goes_to_the_end and farthest >= self.next:
            raise Broken(self.next, f"it is missing; a checkpoint speaks of entry {farthest}")
        if trusted and Ed25519PublicKey is not None:
            self.check_keys({key.lower() for key in trusted})

    def check_keys(self, counting):
        grows = True
        while grows:
            grows = False
            for seq, old, new in self.rotations:
                for known, other in ((old, new), (new, old)):
                    if (
                        known in counting
                        and other not in counting
                        and self.sealed_up_to.get(known, -1) >= seq
                    ):
                        counting.add(other)
                        grows = True
        for key, seq in sorted(self.first_sealed.items(), key=lambda each: each[1]):
            if key not in counting:
                raise Broken(seq, f"its checkpoint is signed with the unknown key {key[:16]}…")

    def report(self, trusted):
        first, last = self.header["from"], self.next - 1
        within = [seq for seq in self.sealed if first - 1 <= seq <= last]
        yield f"Entries {first} to {last} hold, under {len(within)} checkpoints. Last hash {self.hash.hex()}"
        unsealed = last - max(within, default=first - 1)
        if unsealed:
            yield f"The last {unsealed} entries are under no checkpoint of this export."
        if Ed25519PublicKey is None:
            yield "Signatures were NOT checked: the Python package cryptography is missing."
        elif not trusted:
            yield "No --key was given. The checkpoints are signed with these keys; compare them with yours:"
            yield from sorted(self.sealed_up_to)


def verify(export, checkpoints=None, trusted=(), is_part=False):
    verifier = Verifier()
    for line in lines_of(checkpoints) if checkpoints else ():
        verifier.take_checkpoint(line)
    for line in lines_of(export):
        verifier.take(line)
    verifier.finish(trusted, goes_to_the_end=not is_part)
    return verifier


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("export", help="the export, JSON lines")
    parser.add_argument("--checkpoints", help="the checkpoint file, kept apart from the database")
    parser.add_argument("--key", action="append", default=[], help="a public key you trust, 64 hex digits")
    parser.add_argument(
        "--part",
        action="store_true",
        help="the export ends before the ledger does; later checkpoints are fine",
    )
    asked = parser.parse_args(arguments)
    try:
        verifier = verify(asked.export, asked.checkpoints, asked.key, asked.part)
    except Broken as error:
        print(error)
        return BROKEN
    except Unreadable as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    print("\n".join(verifier.report(asked.key)))
    return UNSIGNED if Ed25519PublicKey is None else HOLDS


if __name__ == "__main__":
    sys.exit(main())
