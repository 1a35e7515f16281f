"""Whether recorded actions are connections. No Django here."""

from __future__ import annotations

from collections.abc import Sequence

# Failed and listening ones are none; the set of actions is open, so what is not known here is left out.
CONNECTIONS = frozenset(
    {
        "ConnectionSuccess",
        "ConnectionRequest",
        "ConnectionFound",
        "ConnectionAttempt",
        "ConnectionAcknowledged",
        "ConnectionSuccessAggregatedReport",
        "InboundConnectionAccepted",
        "HttpConnectionInspected",
        "SslConnectionInspected",
        "SshConnectionInspected",
        "SmtpConnectionInspected",
    }
)


def has_connected(actions: Sequence[str], cap: int) -> bool | None:
    """None where it is not known: more actions than the cap were recorded, and one may be among the rest."""
    if not CONNECTIONS.isdisjoint(actions):
        return True
    return None if len(actions) > cap else False


def any_connected(days: Sequence[bool | None]) -> bool | None:
    """Of what was recorded in parts; as OR in SQL."""
    if True in days:
        return True
    return None if None in days else False
