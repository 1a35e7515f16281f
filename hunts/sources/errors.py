"""What can go wrong when a source is asked. Caught by class, at one place, by whoever runs the question.

SourceError
├── Unavailable      not reached, or it broke off: ask again later
├── Throttled        it wants a pause of `retry_after` seconds: ask again after it
├── Refused          the permission, or no such place: somebody must act, asking again is no use
│   └── NotSignedIn  the credentials cannot be had, or are not believed
├── Rejected         it does not understand the query, or lacks the table or a column
├── Truncated        the answer is larger than it gives: ask for less at once
├── TimedOut         no whole answer in time: ask for less at once, or again
├── OutOfRetention   the window lies before the oldest telemetry it keeps
└── Interrupted      we stopped the question ourselves

The message is a sentence for a person; `said` is what the source said, in its own words.
"""

from __future__ import annotations


class SourceError(Exception):
    def __init__(self, message: str, *, said: str = "") -> None:
        self.said = said
        super().__init__(message)

    @property
    def words(self) -> str:
        """The message and, quoted, what the source said."""
        return f"{self} “{self.said}”" if self.said else str(self)


class Unavailable(SourceError):
    pass


# The pause for a source that asks for one without saying how long.
DEFAULT_PAUSE_SECONDS = 30.0


class Throttled(SourceError):
    def __init__(self, message: str, *, said: str = "", retry_after: float = DEFAULT_PAUSE_SECONDS) -> None:
        self.retry_after = retry_after
        super().__init__(message, said=said)


class Refused(SourceError):
    pass


class NotSignedIn(Refused):
    pass


class Rejected(SourceError):
    pass


class Truncated(SourceError):
    pass


class TimedOut(SourceError):
    pass


class OutOfRetention(SourceError):
    pass


class Interrupted(SourceError):
    pass


class BadSource(ValueError):
    """A source that nobody can ask as it is described. `field` is the option that is wrong, or
    "credential"; the message is a sentence for the person who typed it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)
