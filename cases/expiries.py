"""How far ahead an expiry may lie: what is to stay longer has none."""

from __future__ import annotations

from datetime import timedelta

FURTHEST_YEARS = 10
# Leap years included, so that the day of ten years from now is never refused.
FURTHEST = timedelta(days=366 * FURTHEST_YEARS)
TOO_FAR = f"An expiry lies {FURTHEST_YEARS} years ahead at most; choose no end for what is to stay."
