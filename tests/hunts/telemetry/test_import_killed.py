from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hunts.telemetry.progress import Progress
from hunts.telemetry.store import Store, import_files
from tests.hunts.telemetry.exports import row, stored, write_json_lines

CHECKOUT = Path(__file__).parents[3]
DAYS = (2, 3)
# Checking, waiting, reading, two days to sort, two files to move, the manifest to replace: as before.
POINTS_BEFORE = range(1, 9)
# Done: as after.
POINT_AFTER = 9


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_json_lines(tmp_path / "old", [row(Timestamp=f"2026-11-0{day}T12:00:00Z") for day in DAYS])


@pytest.fixture
def new(tmp_path: Path) -> Path:
    rows = [row(ReportId=2, Timestamp=f"2026-11-0{day}T13:00:00Z") for day in DAYS]
    return write_json_lines(tmp_path / "new", rows)


def kill_at(store: Store, export: Path, point: int) -> None:
    command = [sys.executable, "-m", "tests.hunts.telemetry.slow_import"]
    command += [str(store.folder), str(export), str(point)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline().strip()
        process.kill()
    assert said == "reached"


def assert_nothing_is_left_over(store: Store) -> None:
    assert len(list((store.folder / "days").glob("*/*.parquet"))) == len(store.parquet_files())
    assert not list(store.staging_folder.iterdir())


def test_an_import_has_these_points(store: Store, old: Path, new: Path) -> None:
    seen: list[Progress] = []
    import_files(store, [old])
    import_files(store, [new], progress=seen.append)
    assert len(seen) == POINT_AFTER


@pytest.mark.parametrize("point", POINTS_BEFORE)
def test_an_import_killed_before_its_end_was_never_there(
    store: Store, old: Path, new: Path, point: int
) -> None:
    import_files(store, [old])
    before = stored(store)

    kill_at(store, new, point)

    assert stored(store) == before
    assert import_files(store, [new]).new_rows == 2
    assert len(stored(store)) == 4
    assert_nothing_is_left_over(store)


def test_an_import_killed_after_its_end_is_whole(store: Store, old: Path, new: Path) -> None:
    import_files(store, [old])

    kill_at(store, new, POINT_AFTER)

    assert len(stored(store)) == 4
    assert import_files(store, [new]).doubles == 2
    assert_nothing_is_left_over(store)
