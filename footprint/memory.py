"""Collections of garbage, set so that no request waits for one of everything that was ever loaded."""

from __future__ import annotations

import atexit
import gc

# A page of a queue leaves some ten thousand objects, nearly all of them freed without a collection. With
# Python's own threshold of 700 each page pays for dozens of collections, which find next to nothing.
_NEW_OBJECTS = 20_000


def keep_what_is_loaded() -> None:
    """For a process that has loaded everything: what is there now stays, and is never looked through again.

    A full collection of it takes a tenth of a second, in the middle of somebody's page.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
    # At the end everything is let go as ever: else DuckDB's bindings report all of it as leaked.
    atexit.register(gc.unfreeze)
