from __future__ import annotations

from tests.footprint.ledger.kept import kept
from tests.watched_changes import watch_changes

__all__ = ["kept", "watch_changes"]
