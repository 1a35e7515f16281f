"""Asks one process of a container whether it is well.

`python -m footprint.probe web|worker|store-worker|beat`
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from footprint.celery import app
from footprint.configuration import read_configuration

SECONDS = 8
# Beat writes its schedule every three minutes.
OLDEST_SCHEDULE_SECONDS = 600


def web_is_well() -> bool:
    # The site answers to its own names only.
    host = read_configuration().allowed_hosts[0]
    request = Request("http://127.0.0.1:8000/healthz", headers={"Host": host})
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=SECONDS) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def worker_is_well(queue: str = "celery") -> bool:
    name = f"{queue}@{socket.gethostname()}"
    return bool(app.control.inspect(destination=[name], timeout=SECONDS).ping())


def beat_is_well() -> bool:
    written = [path.stat().st_mtime for path in Path("/tmp").glob("beat*")]  # noqa: S108  # a container's own
    return bool(written) and time.time() - max(written) < OLDEST_SCHEDULE_SECONDS


PROBES: Mapping[str, Callable[[], bool]] = {
    "web": web_is_well,
    "worker": worker_is_well,
    "store-worker": partial(worker_is_well, "stores"),
    "beat": beat_is_well,
}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PROBES:
        sys.exit(f"one of {', '.join(PROBES)}")
    sys.exit(0 if PROBES[sys.argv[1]]() else 1)
