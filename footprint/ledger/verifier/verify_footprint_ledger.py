#!/usr/bin/env python3
"""Verifies an export of a Footprint ledger, offline and without Footprint.

    python verify_footprint_ledger.py EXPORT.jsonl [--checkpoints CHECKPOINTS.jsonl] [--key HEX]...

Needs Python 3.9 or newer; of entries and checkpoints it keeps none in memory. Signatures are checked with the
package `cryptography`; without it everything else is checked. Ends with 0: all holds; 1: something is wrong,
its first entry is named; 2: a file cannot be read; 3: the chain holds, but signatures were not checked; 4:
the chain holds, but no checkpoint of a key given with --key seals any entry of it.

What it checks, in this order (docs/ledger.md of Footprint describes the format):
 1. every checkpoint is signed by the key it names, in the export and in the file given beside it; a line of
    that file that a crash has torn is passed over, and told, at its end or where the next checkpoint says so;
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
import sqlite3
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

HOLDS, BROKEN, UNREADABLE, UNSIGNED, UNSEALED = 0, 1, 2, 3, 4
KEY_ROTATED = "ledger:key:rotated"
LONGEST = 64 * 1024  # no line of the checkpoint file is as long
MOST_KEYS = 1000  # a key is changed once a year or so
BEGINNING = b'{"kind":"checkpoint","signature":"'


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
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{where} is not JSON") from error
    if not isinstance(content, dict):
        raise Unreadable(f"{where} is not an object")
    return content


def is_signed(said, key, signature):
    if Ed25519PublicKey is None:
        return False  # then no key is checked at all, and the report says so
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), said)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def is_torn(content):
    """Whether it is the beginning of a checkpoint line, or the zeros of a block that was never written."""
    left = content.rstrip(b"\0")
    if left[: len(BEGINNING)] != BEGINNING[: len(left)]:
        return False
    try:
        json.loads(left)
    except RecursionError:
        # Nested as nothing of ours is: it was not a crash that made it.
        return False
    except ValueError:
        return True
    return False


def checkpoints_of(path, notes):
    """The lines of a checkpoint file, each with the SHA-256 of the torn lines before it, or ""."""
    torn = b""
    try:
        with open(path, "rb") as file:
            for line in iter(lambda: file.readline(LONGEST), b""):
                content = line.rstrip(b"\n")
                if not content.strip():
                    continue
                if is_torn(content):
                    torn += content + b"\n"
                    if len(torn) > LONGEST:
                        raise Broken(0, "a line of the checkpoints is not a checkpoint")
                    continue
                yield parsed_checkpoint(content), hashlib.sha256(torn).hexdigest() if torn else ""
                if torn:
                    notes.append(told_of(torn, path))
                torn = b""
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error}") from error
    if torn:
        notes.append(told_of(torn, path))


def told_of(torn, path):
    return f"In {path} a line of {len(torn)} bytes was torn while it was written; it counts for nothing."


def parsed_checkpoint(content):
    try:
        line = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Broken(0, "a line of the checkpoints is not a checkpoint") from error
    if not isinstance(line, dict):
        raise Broken(0, "a line of the checkpoints is not a checkpoint")
    return line


def read_checkpoint(line, torn=""):
    """(seq, hash, key) of one checkpoint line; its signature must fit the key that it names."""
    try:
        text, signature = line["text"], bytes.fromhex(line["signature"])
        told = json.loads(text)
        seq, digest, key = told["seq"], bytes.fromhex(told["hash"]), told["key"]
        is_one = told["kind"] == "checkpoint" and type(seq) is int and seq >= 0 and len(digest) == 32
        raw_key, signed = bytes.fromhex(key), text.encode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Broken(0, "a checkpoint cannot be read") from error
    if not is_one or len(raw_key) != 32 or seq >= 2**63:
        raise Broken(0, "a checkpoint cannot be read")
    if Ed25519PublicKey is not None:
        try:
            Ed25519PublicKey.from_public_bytes(raw_key).verify(signature, signed)
        except InvalidSignature as error:
            raise Broken(seq, "the checkpoint was changed: its signature does not fit") from error
    if torn and told.get("torn") != torn:
        raise Broken(0, "a line of the checkpoints is not a checkpoint")
    return seq, digest, raw_key.hex()


class Sealed:
    """All checkpoints, in a temporary file of SQLite: sorted by entry without being held in memory."""

    def __init__(self):
        self.table = sqlite3.connect("", isolation_level=None)
        self.table.execute("BEGIN")
        self.table.execute("CREATE TABLE sealed (seq INTEGER, hash BLOB, key TEXT)")
        self.table.execute("CREATE INDEX by_key ON sealed (key, seq)")
        self.walk = self.next = None

    def add(self, seq, digest, key):
        self.table.execute("INSERT INTO sealed VALUES (?, ?, ?)", (seq, digest, key))

    def check(self, seq, digest):
        """Asked of one entry after the other, upwards."""
        if self.walk is None:
            self.walk = self.table.execute(
                "SELECT DISTINCT seq, hash FROM sealed WHERE seq >= ? ORDER BY seq", (seq,)
            )
            self.next = self.walk.fetchone()
        while self.next is not None and self.next[0] == seq:
            if self.next[1] != digest:
                raise Broken(
                    seq, "a checkpoint holds another hash of it: it, or one before it, was written anew"
                )
            self.next = self.walk.fetchone()

    def between(self, first, last):
        """How many there are, and the last entry they speak of."""
        return self.table.execute(
            "SELECT count(DISTINCT seq), max(seq) FROM sealed WHERE seq BETWEEN ? AND ?", (first, last)
        ).fetchone()

    def farthest(self):
        return self.table.execute("SELECT max(seq) FROM sealed").fetchone()[0] or 0

    def of_keys(self):
        """(key, first entry, last entry) that it has sealed, by the first one."""
        return self.table.execute(
            "SELECT key, min(seq), max(seq) FROM sealed GROUP BY key ORDER BY min(seq), key"
        )

    def sealed_up_to(self, key):
        found = self.table.execute("SELECT max(seq) FROM sealed WHERE key = ?", (key,)).fetchone()[0]
        return -1 if found is None else found


class Verifier:
    def __init__(self):
        self.sealed = Sealed()
        self.notes = []
        self.rotations = []  # (seq, old key, new key), each signed by both
        self.header = None
        self.hash = None
        self.next = None
        self.ended = False

    def take_checkpoint(self, line, torn=""):
        if self.header is not None and self.next != self.header["from"]:
            raise Unreadable("a checkpoint stands behind an entry; all belong before the first one")
        self.sealed.add(*read_checkpoint(line, torn))

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
        if (
            type(self.next) is not int
            or type(self.last) is not int
            or not 1 <= self.next <= self.last < 2**63
        ):
            raise Unreadable("the first line is no header of an export")
        if self.next == 1 and self.hash != bytes(32):
            raise Broken(1, "something is said to stand before the first entry")
        self.header = line

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
        if expected == self.header["from"]:
            self.sealed.check(expected - 1, self.hash)
        self.hash, self.next = digest, expected + 1
        self.sealed.check(expected, digest)
        if KEY_ROTATED in text:
            told = json.loads(text)
            if told.get("event") == KEY_ROTATED:
                self.take_rotation(seq, told)

    def take_rotation(self, seq, told):
        try:
            old, new = told["before"]["key"].lower(), told["after"]["key"].lower()
            signatures = told["before"].get("signature", ""), told["after"].get("signature", "")
        except (KeyError, TypeError, AttributeError) as error:
            raise Broken(seq, "it tells of a change of keys, but not of both keys") from error
        said = f"footprint ledger key {old} gives way to {new}".encode()
        if is_signed(said, old, signatures[0]) and is_signed(said, new, signatures[1]):
            self.rotations.append((seq, old, new))
        if len(self.rotations) > MOST_KEYS:
            raise Broken(seq, f"it is one of over {MOST_KEYS:,} changes of keys")

    @staticmethod
    def seq_in(text):
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return told.get("seq") if isinstance(told, dict) else None

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
        farthest = self.sealed.farthest()
        if goes_to_the_end and farthest >= self.next:
            hint = "for an export that is older than its checkpoints give --part"
            raise Broken(self.next, f"it is missing; a checkpoint speaks of entry {farthest} ({hint})")
        if trusted and Ed25519PublicKey is not None:
            self.check_keys({key.lower() for key in trusted})

    def check_keys(self, counting):
        grows = True
        while grows:
            grows = False
            for seq, old, new in self.rotations:
                for known, other in ((old, new), (new, old)):
                    if known in counting and other not in counting and self.sealed.sealed_up_to(known) >= seq:
                        counting.add(other)
                        grows = True
        for key, seq, _ in self.sealed.of_keys():
            if key not in counting:
                raise Broken(seq, f"its checkpoint is signed with the unknown key {key[:16]}…")

    def seals_entries(self):
        """Whether a checkpoint speaks of one of the entries; the keys of all are checked before."""
        sealed_to = self.sealed.between(self.header["from"] - 1, self.next - 1)[1]
        return sealed_to is not None and sealed_to >= self.header["from"]

    def report(self, trusted):
        first, last = self.header["from"], self.next - 1
        count, sealed_to = self.sealed.between(first - 1, last)
        if sealed_to is None or sealed_to < first:
            yield "No entry of this export is under a checkpoint: it could have been written anew as a whole."
        else:
            yield f"Sealed up to entry {sealed_to}."
        yield f"Entries {first} to {last} hold, under {count} checkpoints. Last hash {self.hash.hex()}"
        unsealed = last - (first - 1 if sealed_to is None else sealed_to)
        if unsealed:
            yield f"The last {unsealed} entries are under no checkpoint of this export."
        yield from self.notes
        if Ed25519PublicKey is None:
            yield "Signatures were NOT checked: the Python package cryptography is missing."
        elif not trusted:
            yield "No --key was given. The checkpoints are signed with these keys; compare them with yours:"
            yield from (key for key, _, _ in self.sealed.of_keys())


def verify(export, checkpoints=None, trusted=(), is_part=False):
    verifier = Verifier()
    for line, torn in checkpoints_of(checkpoints, verifier.notes) if checkpoints else ():
        verifier.take_checkpoint(line, torn)
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
    if Ed25519PublicKey is None:
        return UNSIGNED
    return UNSEALED if asked.key and not verifier.seals_entries() else HOLDS


if __name__ == "__main__":
    sys.exit(main())
