"""What a web process needs to answer fetches, kept on its disk: so feeds go on while the database is down.

A snapshot says who may fetch what and which publication is the newest; beside it lie the files, each made
once per publication and format.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction

from cases.watchlists.entries import heading, read_for
from cases.watchlists.fetch_budget import FetchBudget
from cases.watchlists.formats import REGISTRY
from cases.watchlists.models import Consumer, FeedToken, Fetch, Publication
from cases.watchlists.rendering import media_type, render
from cases.watchlists.snapshot import Newest, Right, Snapshot, as_json, from_disk, opens, read_snapshot
from cases.watchlists.tokens import hash_of
from cases.watchlists.whole_files import write_whole

_LOG = structlog.get_logger(__name__)
# How old the snapshot may be while the database answers, and how long it is left alone when it does not.
FRESH_SECONDS = 2.0
_LEAVE_ALONE_SECONDS = 15.0
# Where last use is written at most so often for each consumer, unless it fetched a new publication.
_NOTE_SECONDS = 60.0
_VERSIONS_KEPT = 2
_LONGEST_DRAFT_SECONDS = 3_600.0
_GZIP_LEVEL = 5


class NotThere(Exception):
    """No such feed, or no such token for it; the two look alike."""


class NothingYet(Exception):
    """Nothing was published, or what is there cannot be known or made now: ask again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A feed's file. `sha256` is of the plain bytes; a packed twin lies beside a long one."""

    path: Path
    sha256: str
    media_type: str
    number: int

    @property
    def packed(self) -> Path:
        return self.path.with_name(f"{self.path.name}.gz")


class Feeds:
    """One per process. Requests of several threads share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._snapshot: Snapshot | None = None
        self._fresh_until = 0.0
        self._is_kept = False
        self._reading = Lock()
        self._making = Lock()
        self._budget = FetchBudget()
        self._noted: dict[int, tuple[float, int]] = {}
        # By feed: which file could not be made, and until when that is not tried again.
        self._not_made: dict[Path, tuple[str, float]] = {}

    def fetch(self, *, slug: str, format: str, token: str, address: str, notes: bool = True) -> Kept:
        """Raises NotThere, NothingYet or TooMany."""
        snapshot = self._current()
        if snapshot is None:
            raise NothingYet
        digest = hash_of(token)
        right = snapshot.rights.get(digest)
        if right is None or not opens(right, slug, format):
            # Only after the token was looked at: a neighbour's wrong tokens lock no right one out.
            self._budget.check_failures(address)
            self._budget.note_failure(address)
            raise NotThere
        self._budget.spend(right.consumer)
        newest = snapshot.newest.get(right.watchlist)
        if newest is None:
            raise NothingYet
        kept = self._file(slug, format, newest)
        if notes:
            self._note(right, kept.number, address, digest)
        return kept

    def _current(self) -> Snapshot | None:
        """None when neither the database nor the disk can say anything: then nobody is told "no such feed",
        which a consumer could take for an empty list."""
        now = time.monotonic()
        if self._snapshot is not None and now < self._fresh_until:
            return self._snapshot
        if not self._reading.acquire(blocking=self._snapshot is None):
            return self._snapshot
        try:
            try:
                read = read_snapshot()
                self._fresh_until = time.monotonic() + FRESH_SECONDS
                if read != self._snapshot or not self._is_kept:
                    self._snapshot = read
                    self._keep(read)
            except DatabaseError as error:
                _LOG.warning("feeds_without_database", error=str(error))
                self._fresh_until = time.monotonic() + _LEAVE_ALONE_SECONDS
                if self._snapshot is None:
                    self._snapshot = from_disk(self.folder / "snapshot.json")
        finally:
            self._reading.release()
        return self._snapshot

    def _keep(self, snapshot: Snapshot) -> None:
        """What cannot be written now is tried again; until then this process answers from memory."""
        self._is_kept = False
        try:
            write_whole(self.folder / "snapshot.json", as_json(snapshot))
            self._is_kept = True
        except OSError as error:
            _LOG.error("feeds_not_kept", error=str(error))

    def _file(self, slug: str, format: str, newest: Newest) -> Kept:
        kept = self._ready(slug, format, newest)
        if kept is not None:
            return kept
        with self._making:
            kept = self._ready(slug, format, newest)
            if kept is not None:
                return kept
            try:
                return self._make(slug, format, newest)
            except (DatabaseError, OSError, Publication.DoesNotExist) as error:
                _LOG.warning(
                    "feed_not_made", watchlist=slug, format=format, number=newest.number, error=str(error)
                )
                again_at = time.monotonic() + _LEAVE_ALONE_SECONDS
                self._not_made[self._home(slug, format)] = (newest.stem, again_at)
                return self._last(slug, format)

    def _ready(self, slug: str, format: str, newest: Newest) -> Kept | None:
        """Without making anything: the newest file, or the last one where the newest could not be made a
        moment ago. None when it is to be made. Raises NothingYet."""
        kept = self._kept(slug, format, newest.stem)
        if kept is not None:
            return kept
        stem, again_at = self._not_made.get(self._home(slug, format), ("", 0.0))
        is_left_alone = stem == newest.stem and time.monotonic() < again_at
        return self._last(slug, format) if is_left_alone else None

    def _home(self, slug: str, format: str) -> Path:
        return self.folder / slug / format

    def _kept(self, slug: str, format: str, stem: str) -> Kept | None:
        try:
            about = json.loads((self._home(slug, format) / f"{stem}.json").read_text())
        except (OSError, ValueError):
            return None
        path = self._home(slug, format) / stem
        number = _number(stem)
        return Kept(path, about["sha256"], media_type(REGISTRY[format]), number) if path.exists() else None

    def _last(self, slug: str, format: str) -> Kept:
        home = self._home(slug, format)
        stems = sorted((path.stem for path in home.glob("[0-9]*.json")), key=_number, reverse=True)
        last = next((kept for stem in stems if (kept := self._kept(slug, format, stem))), None)
        if last is None:
            raise NothingYet
        return last

    def _make(self, slug: str, format: str, newest: Newest) -> Kept:
        home = self._home(slug, format)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, draft = tempfile.mkstemp(dir=home, prefix=".draft-")
        try:
            with os.fdopen(handle, "wb") as output, transaction.atomic():
                found = Publication.objects.select_related("watchlist").get(pk=newest.publication)
                entries, gone = read_for(REGISTRY[format], found)
                rendered = render(REGISTRY[format], heading(found), entries, output, gone)
            with (
                Path(draft).open("rb") as plain,
                gzip.GzipFile(  # a descriptor's own path
                    f"{draft}.gz", "wb", _GZIP_LEVEL, mtime=0
                ) as packed,
            ):
                shutil.copyfileobj(plain, packed, 1 << 20)
            # The file comes last, and by it alone the others count: whatever fails before leaves no half.
            write_whole(home / f"{newest.stem}.json", {"sha256": rendered.sha256})
            Path(f"{draft}.gz").replace(home / f"{newest.stem}.gz")
            Path(draft).replace(home / newest.stem)
        finally:
            Path(draft).unlink(missing_ok=True)
            Path(f"{draft}.gz").unlink(missing_ok=True)
        self._let_go(home, newest.number)
        return Kept(home / newest.stem, rendered.sha256, media_type(REGISTRY[format]), newest.number)

    def _let_go(self, home: Path, number: int) -> None:
        """Of the versions before, except the last ones: somebody may be fetching them."""
        for path in home.glob("[0-9]*"):
            if _number(path.stem) <= number - _VERSIONS_KEPT:
                path.unlink(missing_ok=True)
        for draft in home.glob(".draft-*"):
            # Of a process that was killed while it wrote.
            with suppress(FileNotFoundError):
                if draft.stat().st_mtime < time.time() - _LONGEST_DRAFT_SECONDS:
                    draft.unlink()

    def _note(self, right: Right, number: int, address: str, digest: str) -> None:
        """Last use, and the first fetch of a publication. Waits while the database is down."""
        at, holds = self._noted.get(right.consumer, (0.0, 0))
        if holds == number and time.monotonic() - at < _NOTE_SECONDS:
            return
        if time.monotonic() < self._fresh_until - FRESH_SECONDS:
            return
        now = datetime.now(UTC)
        try:
            with transaction.atomic():
                Consumer.objects.filter(pk=right.consumer).update(
                    fetched_at=now, fetched_from=address[:64], holds=number
                )
                FeedToken.objects.filter(hash=digest).update(used_at=now)
                # A clock writes its entry: the feed never waits for the ledger.
                Fetch.objects.get_or_create(
                    consumer_id=right.consumer,
                    number=number,
                    defaults={
                        "at": now,
                        "token": FeedToken.objects.filter(hash=digest).first(),
                        "address": address[:64],
                    },
                )
        except DatabaseError as error:
            _LOG.warning("fetch_not_noted", consumer=right.consumer, error=str(error))
        else:
            self._noted[right.consumer] = (time.monotonic(), number)


def _number(stem: str) -> int:
    return int(stem.partition("-")[0])


_FEEDS: dict[Path, Feeds] = {}


def feeds() -> Feeds:
    """This process's own."""
    folder = settings.FOOTPRINT.data_dir / "feeds"
    return _FEEDS.setdefault(folder, Feeds(folder))
