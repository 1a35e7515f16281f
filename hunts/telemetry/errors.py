"""What can go wrong with exports and stores.

TelemetryError
├── UnreadableFile   files that are nothing we read; nothing of the whole import went in
├── ImportFailed     the disk or the engine gave up; what was visible before still is, nothing else
├── ChangeFailed     the same for a removal, a compaction or a retention
├── UnknownImport    there is no import of this id in the store
├── StoreBusy        somebody else changes the store, and the caller did not want to wait
└── StoreDamaged     the manifest of a store cannot be understood
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class TelemetryError(Exception):
    pass


@dataclass(frozen=True)
class Refusal:
    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class UnreadableFile(TelemetryError):
    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(str(refusal) for refusal in refusals))
        self.refusals = tuple(refusals)


class ImportFailed(TelemetryError):
    pass


class ChangeFailed(TelemetryError):
    pass


class UnknownImport(TelemetryError):
    pass


class StoreBusy(TelemetryError):
    pass


class StoreDamaged(TelemetryError):
    pass
