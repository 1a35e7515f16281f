"""How many values a step takes: as many as whoever decides beside the batch may wait for."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings

# So many are taken first, and fewer never: every step has costs that do not depend on its values.
_FIRST, _LEAST = 400, 200


@dataclass(slots=True)
class Pace:
    """Follows the machine: a step that was over early makes the next one longer."""

    values: int = _FIRST
    _began: float = 0.0

    def __post_init__(self) -> None:
        self.values = min(self.values, settings.FOOTPRINT.batch_step)

    def begin(self) -> int:
        """How many values to take. Called once the verdict lock is held: waiting for it is no work."""
        self._began = time.monotonic()
        return self.values

    def end(self) -> None:
        """Learns from how long the step took."""
        self.learn(time.monotonic() - self._began)

    def learn(self, seconds: float) -> None:
        """Halfway to what would have taken the time that is allowed: one slow step says little."""
        allowed = settings.FOOTPRINT.batch_step_ms / 1000
        fitting = self.values * min(allowed / max(seconds, 0.001), 2)
        self.values = min(max(round((self.values + fitting) / 2), _LEAST), settings.FOOTPRINT.batch_step)
