"""The lab by hand: `python -m tests.lab --port 8765`. See README.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.hunts.parquet import recorded, write_parquet
from tests.lab.faults import Kind, parse_fault
from tests.lab.server import Lab

WORKSPACE = "11111111-2222-3333-4444-555555555555"
_DAYS = 30


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="footprint-lab-") as folder:
        files = options.telemetry or [write_parquet(Path(folder) / "events.parquet", some_events())]
        with Lab(files, port=options.port, token=options.token) as lab:
            lab.delay_seconds = options.delay
            for fault in options.fault:
                lab.faults.add(fault)
            for service in (lab.log_analytics, lab.graph, lab.kusto):
                service.max_rows = min(service.max_rows, options.max_rows or service.max_rows)
            _tell(lab)
            try:
                lab.closing.wait()
            except KeyboardInterrupt:
                return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.lab", description="Stand-ins for the Microsoft services."
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--telemetry", type=Path, nargs="*", help="Parquet files of a local source's store")
    parser.add_argument("--token", help="the only bearer token that is believed; any when not given")
    parser.add_argument("--max-rows", type=int, help="rows that an answer has at most")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds that each answer takes at least")
    parser.add_argument(
        "--fault",
        type=parse_fault,
        action="append",
        default=[],
        metavar="KIND[:TIMES][=VALUE]",
        help=f"one after another: {', '.join(Kind)}",
    )
    return parser


def _tell(lab: Lab) -> None:
    sys.stdout.write(
        f"Log Analytics  endpoint {lab.url}  workspace {WORKSPACE}, or any other\n"
        f"Defender XDR   endpoint {lab.url}\n"
        f"Data Explorer  endpoint {lab.url}  database {lab.kusto.database}\n"
        f"Sentinel       endpoint {lab.url}  any subscription, resource group, workspace and alias\n"
        f"Defender       endpoint {lab.url}\n"
        f"Counts         GET {lab.url}/lab/counts\n"
        f"Faults         POST {lab.url}/lab/faults\n"
        "Any bearer token will do. Ctrl-C ends it.\n"
    )
    sys.stdout.flush()


def some_events() -> Iterator[dict[str, Any]]:
    """A month in which one file talks to a place every day, and another to a new one now and then."""
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for ago in range(_DAYS):
        at = today - timedelta(days=ago)
        facts = {"DeviceId": f"d{ago % 7}", "DeviceName": f"pc-{ago % 7}.example", "RemotePort": 443}
        facts["ActionType"] = "ConnectionSuccess"
        yield recorded("updater.exe", "198.51.100.7", "updates.example", at, **facts)
        if ago % 5 == 0:
            yield recorded("rundll32.exe", f"203.0.113.{ago + 1}", f"c{ago}.example", at, **facts)


if __name__ == "__main__":
    sys.exit(main())
