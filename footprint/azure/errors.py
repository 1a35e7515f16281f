"""What can go wrong when a service of Microsoft is asked. Caught by class, at one place, by whoever asked.

ServiceError
├── Unavailable      not reached, or it broke off: ask again later
├── Throttled        it wants a pause of `retry_after` seconds: ask again after it
├── Refused          the permission, or no such place: somebody must act, asking again is no use
│   └── NotSignedIn  the credentials cannot be had, or are not believed
├── Rejected         it does not understand what was sent
└── TimedOut         no whole answer in time

The message is a sentence for a person; `said` is what the service said, in its own words.
"""

from __future__ import annotations


class ServiceError(Exception):
    def __init__(self, message: str, *, said: str = "") -> None:
        self.said = said
        super().__init__(message)

    @property
    def words(self) -> str:
        """The message and, quoted, what the service said."""
        return f"{self} “{self.said}”" if self.said else str(self)


class Unavailable(ServiceError):
    pass


# The pause for a service that asks for one without saying how long.
DEFAULT_PAUSE_SECONDS = 30.0


class Throttled(ServiceError):
    def __init__(self, message: str, *, said: str = "", retry_after: float = DEFAULT_PAUSE_SECONDS) -> None:
        self.retry_after = retry_after
        super().__init__(message, said=said)


class Refused(ServiceError):
    pass


class NotSignedIn(Refused):
    pass


class Rejected(ServiceError):
    pass


class TimedOut(ServiceError):
    pass


class BadSetting(ValueError):
    """A place that nobody can ask as it is described. `field` is the option that is wrong, or
    "credential"; the message is a sentence for the person who typed it."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(message)
