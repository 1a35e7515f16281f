from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hunts.telemetry.store import Store, import_files
from tests.hunts.telemetry.exports import row, stored, write_json_lines

CHECKOUT = Path(__file__).parents[3]
DAYS = (2, 3)


def kill_at(store: Store, export: Path, point: int) -> bool:
    """Whether the import came to that point; otherwise it was let finish."""
    command = [
        sys.executable,
        "-m",
        "tests.hunts.telemetry.slow_import",
        str(store.folder),
        str(export),
        str(point),
    ]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        process.kill()
    assert said in ("reached", "finished")
    return said == "reached"


def test_an_import_killed_at_any_point_is_as_before_or_as_after(tmp_path: Path) -> None:
    old = write_json_lines(tmp_path / "old", [row(Timestamp=f"2026-11-0{day}T12:00:00Z") for day in DAYS])
    new = write_json_lines(
        tmp_path / "new", [row(ReportId=2, Timestamp=f"2026-11-0{day}T13:00:00Z") for day in DAYS]
    )
    seen_before, seen_after, point = 0, 0, 0
    reached = True
    while reached:
        point += 1
        store = Store(tmp_path / f"store{point}")
        import_files(store, [old])
        before = stored(store)

        reached = kill_at(store, new, point)

        after_kill = stored(store)
        again = import_files(store, [new])
        assert len(stored(store)) == 4
        assert len(list((store.folder / "days").glob("*/*.parquet"))) == len(store.parquet_files())
        assert not list(store.staging_folder.iterdir())
        if after_kill == before:
            seen_before += 1
            assert again.new_rows == 2
        else:
            seen_after += 1
            assert (len(after_kill), again.new_rows) == (4, 0)
    # Checking, waiting, reading, two days sorted, two moved, then the manifest; done and not reached.
    assert (seen_before, seen_after) == (8, 2)
