"""A process of its own that imports and says its peak memory in KiB.

python -m tests.hunts.telemetry.peak_memory STORE EXPORT
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store

summary = import_files(Store(Path(sys.argv[1])), [Path(sys.argv[2])])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak, summary.new_rows, summary.bad_lines)  # noqa: T201  # the other process reads it
