from cases.watchlists.models.feeds import Consumer, FeedToken, Fetch
from cases.watchlists.models.lists import (
    Conflict,
    Publication,
    PublishedEntry,
    Publishing,
    Watchlist,
    every_kind,
    everywhere,
)
from cases.watchlists.models.targets import Enforcement, Receipt, Reconciliation, Spending, Target

__all__ = [
    "Conflict",
    "Consumer",
    "Enforcement",
    "FeedToken",
    "Fetch",
    "Publication",
    "PublishedEntry",
    "Publishing",
    "Receipt",
    "Reconciliation",
    "Spending",
    "Target",
    "Watchlist",
    "every_kind",
    "everywhere",
]
