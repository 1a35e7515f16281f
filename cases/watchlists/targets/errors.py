"""What can go wrong with a target: footprint/azure/errors.py, and under it

Unavailable
├── Unreached    there was no connection, so nothing was sent
└── Unfinished   it still works on what it was given before: look again after `retry_after` seconds
Rejected
└── NotMade      as a whole, with all that was in it
Refused
└── NotOurs      somebody else made what is there under this name; nothing of it is touched
"""

from __future__ import annotations

from footprint.azure.errors import Refused, Rejected, Unavailable

UNFINISHED_PAUSE_SECONDS = 60.0


class Unfinished(Unavailable):
    def __init__(
        self, message: str, *, said: str = "", retry_after: float = UNFINISHED_PAUSE_SECONDS
    ) -> None:
        self.retry_after = retry_after
        super().__init__(message, said=said)


class Unreached(Unavailable):
    pass


class NotMade(Rejected):
    pass


class NotOurs(Refused):
    pass
