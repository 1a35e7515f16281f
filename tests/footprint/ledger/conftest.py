from __future__ import annotations

from tests.footprint.ledger.kept import kept

__all__ = ["kept"]
