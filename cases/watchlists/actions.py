from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import IO

from cases.watchlists.formats import Format, ListEntry
from cases.watchlists.models import Watchlist
from cases.watchlists.querysets import entries_of
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change

# Up to here a download stays in memory; longer ones go to a temporary file.
_IN_MEMORY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LeftOut:
    value: str
    why: str


@dataclass(slots=True)
class Download:
    """A watchlist as it was at one moment. `content` stands at its beginning; the caller closes it."""

    content: IO[bytes]
    filename: str
    media_type: str
    entries: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    sha256: str = ""


def download(*, actor: Actor, watchlist: Watchlist, format: Format) -> Download:
    """Writes the list in the format, and the entry that says who took what."""
    with ExitStack() as closed_on_failure, change(actor=actor) as ledger:
        content = closed_on_failure.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        taken = Download(content, f"{watchlist.slug}.{format.extension}", format.media_type)
        _write(taken, watchlist, format)
        ledger.add(
            Event.WATCHLIST_DOWNLOADED,
            Subject("watchlist", watchlist.slug, watchlist.title),
            after={
                "format": format.slug,
                "entries": taken.entries,
                "left_out": len(taken.left_out),
                "sha256": taken.sha256,
            },
        )
        closed_on_failure.pop_all()
    return taken


def _write(taken: Download, watchlist: Watchlist, format: Format) -> None:
    digest = hashlib.sha256()
    for piece in format.write(_covered(taken, watchlist, format)):
        encoded = piece.encode()
        digest.update(encoded)
        taken.content.write(encoded)
    taken.sha256 = digest.hexdigest()
    taken.content.seek(0)


def _covered(taken: Download, watchlist: Watchlist, format: Format) -> Iterator[ListEntry]:
    """What the format can say; the rest is noted on the way."""
    for entry in entries_of(watchlist):
        why = format.left_out(entry)
        if why:
            taken.left_out.append(LeftOut(entry.value, why))
        else:
            taken.entries += 1
            yield entry
