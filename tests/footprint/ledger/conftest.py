from __future__ import annotations

from tests.watched_changes import watch_changes

__all__ = ["watch_changes"]
