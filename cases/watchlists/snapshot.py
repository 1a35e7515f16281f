"""Who may fetch what and which publication is the newest: read from the database, kept on disk.

Tokens are in it as hashes only.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.db.models import Q

from cases.watchlists.models import FeedToken, Publication


@dataclass(frozen=True, slots=True)
class Right:
    """What a token opens, and until when."""

    consumer: int
    watchlist: int
    slug: str
    format: str
    ends_at: float | None


class Newest(NamedTuple):
    """`made_at`, in microseconds, tells publications apart also when a database was put back."""

    publication: int
    number: int
    made_at: int

    @property
    def stem(self) -> str:
        return f"{self.number}-{self.made_at}"


@dataclass(slots=True)
class Snapshot:
    rights: Mapping[str, Right] = field(default_factory=dict)
    # The newest publication of each list.
    newest: Mapping[int, Newest] = field(default_factory=dict)


def opens(right: Right, slug: str, format: str) -> bool:
    is_over = right.ends_at is not None and right.ends_at <= time.time()
    same = hmac.compare_digest(f"{right.slug}/{right.format}".encode(), f"{slug}/{format}".encode())
    return same and not is_over


def read_snapshot() -> Snapshot:
    now = datetime.now(UTC)
    tokens = FeedToken.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), consumer__revoked_at__isnull=True
    ).select_related("consumer__watchlist")
    rights = {
        token.hash: Right(
            token.consumer_id,
            token.consumer.watchlist_id,
            token.consumer.watchlist.slug,
            token.consumer.format,
            token.ends_at.timestamp() if token.ends_at else None,
        )
        for token in tokens
    }
    newest = Publication.objects.newest_of_each_list()
    return Snapshot(rights, {each.watchlist_id: _newest(each) for each in newest})


def _newest(publication: Publication) -> Newest:
    stamp = int(publication.made_at.timestamp() * 1_000_000)
    return Newest(publication.pk, publication.number or 0, stamp)


def as_json(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "rights": {
            digest: [each.consumer, each.watchlist, each.slug, each.format, each.ends_at]
            for digest, each in snapshot.rights.items()
        },
        "newest": [[watchlist, *newest] for watchlist, newest in snapshot.newest.items()],
    }


def from_disk(path: Path) -> Snapshot | None:
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return Snapshot(
        {digest: Right(*right) for digest, right in kept["rights"].items()},
        {watchlist: Newest(*newest) for watchlist, *newest in kept["newest"]},
    )
