"""When the reader was last here: what came since is new to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

# Coming back within this time is the same visit: what was new stays new.
ONE_VISIT = timedelta(minutes=30)
_LATEST, _BEFORE = "inbox_latest", "inbox_before"


def last_visit(session: SessionBase) -> datetime | None:
    """None on the first one. Remembers this one."""
    now = timezone.now()
    latest = _read(session.get(_LATEST))
    if latest is None or now - latest > ONE_VISIT:
        session[_BEFORE] = latest.isoformat() if latest else ""
        session[_LATEST] = now.isoformat()
        return latest
    return _read(session.get(_BEFORE))


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
