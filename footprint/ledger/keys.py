"""The key that signs checkpoints: given by the operator, or made once on one machine."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from footprint.secret import kept_text

log = structlog.get_logger("footprint.security")

KEY_FILE = "ledger-key"
_BYTES = 32


class CannotSeal(Exception):
    """No checkpoint can be made."""


class NoKey(CannotSeal):
    """Nothing can be signed: no key is given, and this is not a set-up of one machine."""


class NoKeyYet(NoKey):
    """This machine makes its key with the first checkpoint."""


class BadKey(CannotSeal):
    """The text is not 32 bytes in base64, or the file that holds it cannot be read."""


def new_key_text() -> str:
    return base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def key_from_text(text: str) -> Ed25519PrivateKey:
    try:
        seed = base64.b64decode(text.strip(), validate=True)
    except ValueError as error:
        raise BadKey("The key is not base64.") from error
    if len(seed) != _BYTES:
        raise BadKey(f"The key has {len(seed)} bytes, not {_BYTES}.")
    return Ed25519PrivateKey.from_private_bytes(seed)


def signing_key() -> Ed25519PrivateKey:
    """Read anew at each use, so that a rotation on one machine reaches every process. Made at first use."""
    path = kept_key_path()
    if settings.FOOTPRINT.ledger_key or not settings.FOOTPRINT.on_one_machine or path.exists():
        return known_key()
    try:
        kept_text(path, new_key_text)
    except OSError as error:
        raise _unreadable(path, error) from error
    log.warning("ledger_key_made", path=str(path), hint=WHERE_IT_LIES)
    return known_key()


def known_key() -> Ed25519PrivateKey:
    """The key that there is. Who only compares makes none: every checkpoint would seem a stranger's."""
    given = settings.FOOTPRINT.ledger_key
    if given:
        return key_from_text(given)
    if not settings.FOOTPRINT.on_one_machine:
        raise NoKey("FOOTPRINT_LEDGER_KEY is not set, so checkpoints of the ledger are not signed.")
    path = kept_key_path()
    try:
        return key_from_text(path.read_text().strip())
    except FileNotFoundError as error:
        raise NoKeyYet(f"There is no key in {path} yet.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> BadKey:
    return BadKey(f"The key in {path} cannot be read: {error}.")


WHERE_IT_LIES = (
    "It lies beside the database it is there to prove; whoever can read both could rewrite the ledger. "
    "Keep copies of the checkpoint file on another machine."
)


def kept_key_path() -> Path:
    folder: Path = settings.FOOTPRINT.data_dir
    return folder / KEY_FILE


def replace_kept_key(text: str) -> None:
    """Whole or not at all, and readable by its owner only."""
    path = kept_key_path()
    draft = path.with_name(f"{KEY_FILE}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
