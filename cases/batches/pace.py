"""How many values a step takes: as many as whoever decides beside the batch may wait for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

# So many are taken first, and fewer never: every step has costs that do not depend on its values.
_FIRST, _LEAST = 400, 200


@dataclass(slots=True)
class Pace:
    """Follows the machine: a step that was over early makes the next one longer."""

    values: int = _FIRST

    def __post_init__(self) -> None:
        self.values = min(self.values, settings.FOOTPRINT.batch_step)

    @contextmanager
    def step(self) -> Iterator[int]:
        """Gives how many values to take, and learns from how long they took."""
        began = time.monotonic()
        yield self.values
        self.learn(time.monotonic() - began)

    def learn(self, seconds: float) -> None:
        """Halfway to what would have taken the time that is allowed: one slow step says little."""
        allowed = settings.FOOTPRINT.batch_step_ms / 1000
        fitting = self.values * min(allowed / max(seconds, 0.001), 2)
        self.values = min(max(round((self.values + fitting) / 2), _LEAST), settings.FOOTPRINT.batch_step)
