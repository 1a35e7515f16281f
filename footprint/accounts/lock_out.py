"""When too many sign-ins fail: a name is locked for one address, an address for all names.

Never a name for everybody: a stranger could lock an administrator out. An attempt is counted before its
password is looked at, so that many at once get no more tries than one after the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from footprint.accounts.models import SignInAttempts

# An office behind one address has many people who mistype.
ADDRESS_FACTOR = 10
_SWEPT_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Attempt:
    """`locks` are what this attempt has locked: "name", "address". Refused when `locked_until` is set."""

    locked_until: datetime | None
    locks: tuple[str, ...]


def count_attempt(name: str, address: str) -> Attempt:
    """Counts one attempt; whoever is over the limit is refused without a look at the password."""
    limit = settings.FOOTPRINT.sign_in_failures
    window = timedelta(minutes=settings.FOOTPRINT.sign_in_lock_minutes)
    _sweep(window)
    until, locks = None, []
    for what, key, most in (
        ("name", _name_key(name, address), limit),
        ("address", _address_key(address), limit * ADDRESS_FACTOR),
    ):
        count, locked_until = _count(key, most, window)
        if locked_until is not None:
            until = max(until or locked_until, locked_until)
        if count == most + 1:
            locks.append(what)
    return Attempt(until, tuple(locks))


def forget_attempts(name: str, address: str) -> None:
    """After a sign-in: the name begins anew, and the address has one failure less."""
    SignInAttempts.objects.filter(key=_name_key(name, address)).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_signinattempts SET count = count - 1 WHERE key = %s AND count > 0",
            [_address_key(address)],
        )


def locked_among(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these names are locked for which of these addresses now."""
    by_key = {_name_key(name, address): (name, address) for name, address in pairs}
    held = SignInAttempts.objects.filter(key__in=by_key, locked_until__gt=Now())
    return {by_key[key] for key in held.values_list("key", flat=True)}


def unlock(name: str, addresses: Iterable[str]) -> None:
    SignInAttempts.objects.filter(key__in=[_name_key(name, each) for each in addresses]).delete()


def _name_key(name: str, address: str) -> str:
    return _key("name", name.casefold(), address)


def _address_key(address: str) -> str:
    return _key("address", address)


def _key(*parts: str) -> str:
    """Only a hash is kept: people type passwords where the name belongs."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _count(key: str, most: int, window: timedelta) -> tuple[int, datetime | None]:
    """One statement: attempts at the same moment count one after the other. A lock is never drawn out."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"key": key, "most": most, "seconds": window.total_seconds()})
        count, locked_until = cursor.fetchone()
        return count, locked_until


_OVER = (
    "(coalesce(kept.locked_until, kept.began_at + make_interval(secs => %(seconds)s)) <= clock_timestamp())"
)
_COUNT = f"""
    INSERT INTO accounts_signinattempts AS kept (key, count, began_at) VALUES (%(key)s, 1, clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN {_OVER} THEN 1 ELSE kept.count + 1 END,
        began_at = CASE WHEN {_OVER} THEN clock_timestamp() ELSE kept.began_at END,
        locked_until = CASE WHEN {_OVER} THEN NULL
                            WHEN kept.count = %(most)s
                            THEN clock_timestamp() + make_interval(secs => %(seconds)s)
                            ELSE kept.locked_until END
    RETURNING count, locked_until
"""  # noqa: S608  # made of constants alone


def _sweep(window: timedelta) -> None:
    """Keeps the table small, a little with each attempt."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM accounts_signinattempts WHERE key IN (
                SELECT key FROM accounts_signinattempts
                 WHERE began_at < clock_timestamp() - make_interval(secs => 2 * %s)
                   AND (locked_until IS NULL OR locked_until < clock_timestamp())
                 LIMIT %s FOR UPDATE SKIP LOCKED)
            """,
            [window.total_seconds(), _SWEPT_AT_ONCE],
        )
