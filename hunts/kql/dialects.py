"""The two portals that people paste KQL into."""

from __future__ import annotations

from hunts.kql.footprint import Dialect

LOG_ANALYTICS = Dialect("TimeGenerated")
DEFENDER_XDR = Dialect("Timestamp")
