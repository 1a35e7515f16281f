"""Lines that could not be read, kept with their place and the reason."""

import json
from pathlib import Path

from hunts.telemetry.readers.base import BadLine

# More are counted but not kept.
KEPT = 10_000
_TEXT_CAP = 2_000


class BadLines:
    """Writes JSON lines: file, line, reason, text (cut, bytes that are no UTF-8 shown as \\xNN)."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self.path = path
        self._file = path.open("w", encoding="utf-8")

    def __enter__(self) -> "BadLines":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, file: str, line: BadLine) -> None:
        self.count += 1
        if self.count > KEPT:
            return
        text = line.data[:_TEXT_CAP].decode(errors="backslashreplace").rstrip("\r\n")
        entry = {"file": file, "line": line.number, "reason": line.reason, "text": text}
        self._file.write(json.dumps(entry) + "\n")
