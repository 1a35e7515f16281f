# ruff: noqa: S608  # SQL is made here, of numbers and our own paths
"""Measures telemetry: importing it, and asking a rare name, a common one and a thousand at once.

    python bench/telemetry.py [--events 1000000] [--large] [--folder FOLDER]

Every question is asked twice in turns, through the local source and as hand-written DuckDB SQL over the
same files, with the same limits; the best of five counts, in processor time, so that neighbours count
less. Both keep their database from one question to the next, as a worker does, and with it where the rows
of each file lie. `--large`
measures 50 million events beside the smaller ones and needs some 60 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))

import duckdb

from hunts.kql.files import parse_file
from hunts.kql.footprint import footprint_query
from hunts.kql.window import Window
from hunts.sources.local import LocalAdapter
from hunts.sources.locked import Limits, Visible, locked_database, question_connection
from hunts.sources.translated import translated
from hunts.telemetry.holdings import disk_used, names_by_rows, newest_event
from hunts.telemetry.importing import import_files
from hunts.telemetry.store import Store

NAMES, PAIRS, DEVICES, DAYS = 2_000, 3_000, 400, 30
EVENTS_PER_FILE = 500_000
TIMES = 5
COMMON, RARE = "app1.exe", f"app{NAMES - 10}.exe"
THOUSAND = tuple(f"app{rank}.exe" for rank in range(900, 1_900))
ALWAYS = Window()
# Of 50 million events, this much of a thousand names is what one answer may hold.
THREE_DAYS = Window.days(date(2026, 11, 2), date(2026, 11, 4))
QUESTIONS: dict[str, tuple[Sequence[str], Window]] = {
    "rare name": ((RARE,), ALWAYS),
    "common name": ((COMMON,), ALWAYS),
    "1,000 names": (THOUSAND, THREE_DAYS),
}


def write_events(folder: Path, events: int) -> int:
    """JSON lines as the streaming API writes them; names and pairs are as uneven as in a fleet."""
    folder.mkdir(parents=True)
    with closing(duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})) as connection:
        for first in range(0, events, EVENTS_PER_FILE):
            last = min(events, first + EVENTS_PER_FILE)
            path = folder / f"{first:012}.jsonl"
            connection.execute(f"COPY ({_events_sql(first, last)}) TO '{path}' (FORMAT json)")
    return sum(path.stat().st_size for path in folder.iterdir())


def _events_sql(first: int, last: int) -> str:
    drawn = ", ".join(f"hash(i * 8 + {n}) / 18446744073709551616.0 AS r{n}" for n in range(4))
    return f"""
    WITH drawn AS (SELECT i, {drawn} FROM range({first}, {last}) t(i)),
    picked AS (
        SELECT i, 'app' || floor(pow({NAMES}, r0))::INT || '.exe' AS name,
            floor(r1 * {DEVICES})::INT AS device, floor(pow({PAIRS}, r2))::INT AS pair,
            TIMESTAMP '2026-10-25' + to_microseconds((r3 * {DAYS} * 86400e6)::BIGINT) AS moment
        FROM drawn)
    SELECT 'AdvancedHunting-DeviceNetworkEvents' AS category, {{
        'Timestamp': strftime(moment, '%Y-%m-%dT%H:%M:%S.%fZ'),
        'DeviceId': md5(device::VARCHAR),
        'DeviceName': 'lis-w-' || device,
        'ActionType': 'ConnectionSuccess',
        'RemotePort': [443, 80, 53, 8443][pair % 4 + 1],
        'RemoteIP': concat_ws('.', 20 + pair % 60, hash(name) % 256, pair // 256, pair % 256),
        'RemoteUrl': CASE WHEN pair % 4 = 0 THEN '' ELSE 'h' || pair || '.' || name || '.example.test' END,
        'LocalIP': '10.1.' || device % 250 || '.7',
        'LocalPort': 49152 + i % 16000,
        'Protocol': 'Tcp',
        'InitiatingProcessFileName': name,
        'InitiatingProcessSHA1': sha1(name),
        'InitiatingProcessId': i % 30000,
        'InitiatingProcessVersionInfoCompanyName': 'Example ' || hash(name) % 40,
        'InitiatingProcessCommandLine': '"C:\\Program Files\\' || name || '" --task ' || i % 50,
        'InitiatingProcessCreationTime': strftime(moment - INTERVAL 1 HOUR, '%Y-%m-%dT%H:%M:%SZ'),
        'InitiatingProcessFolderPath': 'c:\\program files\\' || name,
        'InitiatingProcessParentFileName': 'explorer.exe',
        'InitiatingProcessAccountName': 'user' || device,
        'ReportId': i}} AS properties
    FROM picked"""


class Asked:
    """A store, asked by the local source and by hand. Each keeps its database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._adapter = LocalAdapter(store)
        limits = Limits()
        config = {"threads": limits.threads, "memory_limit": limits.memory, "preserve_insertion_order": False}
        self._by_hand = duckdb.connect(config=config)  # type: ignore[arg-type]  # its stub is narrower
        self._by_hand.execute("SET parquet_metadata_cache=true")

    def ask(self, names: Sequence[str], window: Window, *, whole: bool = False) -> int:
        """`whole` reads every row instead of those that the layout leads to."""
        query = footprint_query([parse_file(name) for name in names], window, self._adapter.dialect)
        if whole:
            query = replace(query, names=None)
        return len(list(self._adapter.ask(query, window, timeout=3_600).rows))

    def by_hand(self, condition: str, window: Window) -> int:
        return len(self._by_hand.execute(sql_by_hand(self.store, condition, window)).fetchall())


def scans(store: Store, names: Sequence[str], scratch: Path) -> int:
    """How many times the files are read for one question, as DuckDB plans it."""
    query = footprint_query([parse_file(name) for name in names], Window(), LocalAdapter.dialect)
    files = store.parquet_files()
    with closing(locked_database(files, Limits(), scratch / "spill")) as database:
        connection = question_connection(database, Visible(files, Window(), query.names))
        [(_, plan)] = connection.execute(f"EXPLAIN (FORMAT json) {translated(query.text)}").fetchall()
    return _reads(json.loads(plan))


def _reads(steps: list[dict[str, Any]]) -> int:
    return sum(step["name"].startswith("READ_PARQUET") + _reads(step["children"]) for step in steps)


def sql_by_hand(store: Store, condition: str, window: Window) -> str:
    sets = {"DeviceName": 26, "RemotePort": 26, "ActionType": 11, "InitiatingProcessAccountName": 11,
            "InitiatingProcessSHA1": 11, "InitiatingProcessFolderPath": 11,
            "InitiatingProcessVersionInfoCompanyName": 6, "InitiatingProcessParentFileName": 6,
            "InitiatingProcessCommandLine": 6}  # fmt: skip
    lists = ", ".join(
        f"(list(DISTINCT {name}) FILTER ({name} IS NOT NULL))[:{cap}]" for name, cap in sets.items()
    )
    files = ", ".join(f"'{path}'" for path in store.parquet_files(window.first_day, window.last_day))
    return f"""
        SELECT date_trunc('day', TimeGenerated), FileKey, RemoteIP, RemoteUrl, min(TimeGenerated),
            max(TimeGenerated), count(*), count(DISTINCT date_trunc('hour', TimeGenerated)),
            count(DISTINCT nullif(DeviceId, '')), {lists}
        FROM read_parquet([{files}])
        WHERE {condition} AND (RemoteIP <> '' OR RemoteUrl <> '')
        GROUP BY 1, 2, 3, 4"""


def key_in(names: Sequence[str]) -> str:
    return f"FileKey IN ({', '.join(repr(name) for name in names)})"


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Seconds of processor time, of all threads."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def in_turns(works: dict[str, Callable[[], int]]) -> dict[str, tuple[float, int]]:
    """The best time of each, and what it found."""
    best: dict[str, tuple[float, int]] = {}
    for _ in range(TIMES):
        for name, work in works.items():
            seconds, found = timed(work)
            best[name] = min(best.get(name, (seconds, found)), (seconds, found))
    return best


def apart(*arguments: str) -> dict[str, Any]:
    """Runs a stage in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, str(Path(__file__)), *arguments]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(said))


def peak_mib() -> float:
    """Of this program alone: getrusage() would begin with the peak of who started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def stage_import(store: Store, folder: Path) -> dict[str, Any]:
    seconds, rows = timed(lambda: import_files(store, [folder]).new_rows)
    return {"seconds": seconds, "rows": rows}


def stage_ask(store: Store, name: str) -> dict[str, Any]:
    names, window = QUESTIONS[name]
    return {"found": Asked(store).ask(names, window)}


def measure(folder: Path, events: int) -> Iterator[str]:
    store = Store(folder / "store")
    _, size = timed(lambda: write_events(folder / "exports", events))
    yield f"{events:,} events, {size / 1e9:.1f} GB of JSON lines; load {os.getloadavg()[0]:.1f}"
    done = apart("--import", str(store.folder), str(folder / "exports"))
    yield (
        f"import           {done['seconds']:8.1f} s  {done['rows'] / done['seconds']:9,.0f} rows/s"
        f"  peak {done['peak']:6,.0f} MiB  {disk_used(store) / 1e6:,.0f} MB of Parquet"
    )
    asked = Asked(store)
    yield "question             ours        by hand    ratio   rows out  scans  peak of ours"
    for title in QUESTIONS:
        yield question_line(asked, title, folder)
    best = in_turns(
        {
            "rare": partial(asked.ask, [RARE], ALWAYS),
            "whole": partial(asked.ask, [RARE], ALWAYS, whole=True),
            "hand": partial(asked.by_hand, f"lower(InitiatingProcessFileName) = '{RARE}'", ALWAYS),
        }
    )
    rare, whole, hand = (best[title][0] for title in ("rare", "whole", "hand"))
    yield (
        f"rare name {rare:.3f} s; the same question as a full scan {whole:.3f} s, so {rare / whole:.0%};"
        f" a full scan by hand {hand:.3f} s"
    )
    for title, work in (("names by rows", names_by_rows), ("newest event", newest_event)):
        seconds, _ = timed(lambda work=work: len([work(store)]))  # type: ignore[misc]  # bound early
        yield f"{title:16} {seconds:7.3f} s"
    yield f"load {os.getloadavg()[0]:.1f} at {datetime.now(UTC):%H:%M} UTC"


def question_line(asked: Asked, title: str, folder: Path) -> str:
    names, window = QUESTIONS[title]
    best = in_turns(
        {
            "ours": partial(asked.ask, names, window),
            "hand": partial(asked.by_hand, key_in(names), window),
        }
    )
    (ours, found), (hand, expected) = best["ours"], best["hand"]
    if found != expected:
        raise SystemExit(f"{title}: {found} rows, by hand {expected}")
    peak = apart("--ask", str(asked.store.folder), title)["peak"]
    return (
        f"{title:16} {ours:7.3f} s      {hand:7.3f} s  {ours / hand:6.2f}  {found:9,}"
        f"  {scans(asked.store, names, folder):5}  {peak:8,.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--import", dest="stage_import", nargs=2, type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--ask", dest="stage_ask", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage_import or options.stage_ask:
        said = (
            stage_import(Store(options.stage_import[0]), options.stage_import[1])
            if options.stage_import
            else stage_ask(Store(Path(options.stage_ask[0])), options.stage_ask[1])
        )
        said["peak"] = peak_mib()
        print(json.dumps(said))
        return
    for events in [*options.events, *([50_000_000] if options.large else [])]:
        with tempfile.TemporaryDirectory(prefix="footprint-bench-", dir=options.folder) as folder:
            for line in measure(Path(folder), events):
                print(line, flush=True)


if __name__ == "__main__":
    main()
