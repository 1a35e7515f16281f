"""What can go wrong when a source is asked. Caught by class, at one place, by whoever runs the question.

SourceError is what any service can fail with, and what only a question can:

SourceError
├── Unavailable, Throttled, Refused, NotSignedIn, TimedOut: see footprint/azure/errors.py
├── Rejected         it does not understand the query, or lacks the table or a column
├── Truncated        the answer is larger than it gives: ask for less at once
├── OutOfRetention   the window lies before the oldest telemetry it keeps
└── Interrupted      we stopped the question ourselves

The message is a sentence for a person; `said` is what the source said, in its own words.
"""

from __future__ import annotations

from footprint.azure.errors import (
    DEFAULT_PAUSE_SECONDS,
    BadSetting,
    NotSignedIn,
    Refused,
    Rejected,
    ServiceError,
    Throttled,
    TimedOut,
    Unavailable,
)

__all__ = [
    "DEFAULT_PAUSE_SECONDS",
    "BadSource",
    "Interrupted",
    "NotSignedIn",
    "OutOfRetention",
    "Refused",
    "Rejected",
    "SourceError",
    "Throttled",
    "TimedOut",
    "Truncated",
    "Unavailable",
]

SourceError = ServiceError
BadSource = BadSetting


class Truncated(SourceError):
    pass


class OutOfRetention(SourceError):
    pass


class Interrupted(SourceError):
    pass
