"""A process that is killed while it changes a store: afterwards the store is as before or as after."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hunts.telemetry.importing import import_files
from hunts.telemetry.progress import Progress
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import row, stored, write_json_lines
from tests.hunts.telemetry.slow_change import change

CHECKOUT = Path(__file__).parents[3]
DAYS = (2, 3)
# Import: checking, waiting, reading, two days to sort, four files to move (on each day new rows and a
# double), the manifest to replace, done.
# Removal: on each day rewriting and moving, the manifest to replace, done.
# Compaction: on each day rewriting, moving, the manifest to replace; done.
POINTS = {"import": 11, "remove": 6, "compact": 7}
# Compaction publishes day by day; its rows never change.
CASES = [(action, point) for action, last in POINTS.items() for point in range(1, last + 1)]


def rows(report: int, minute: int) -> list[dict[str, Any]]:
    """On each day one row that every export has, and one of its own."""
    own = [row(ReportId=report, Timestamp=f"2026-11-0{day}T12:{minute}:00Z") for day in DAYS]
    return own + [row(ReportId=99, AccountName=report, Timestamp=f"2026-11-0{day}T12:00:00Z") for day in DAYS]


class World:
    """A store with two imports, and what can be done to it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.store = Store(folder / "store", grace=timedelta(0))
        imports = [
            import_files(self.store, [write_json_lines(folder / name, rows(number, number + 10))])
            for number, name in enumerate(("first", "second"), start=1)
        ]
        new = write_json_lines(folder / "new", rows(3, 20))
        self.arguments = {"import": str(new), "remove": imports[0].import_id, "compact": ""}

    def change(self, action: str) -> list[Progress]:
        seen: list[Progress] = []
        change(self.store, action, self.arguments[action], seen.append)
        return seen

    def kill_at(self, action: str, point: int) -> None:
        command = [sys.executable, "-m", "tests.hunts.telemetry.slow_change"]
        command += [str(self.store.folder), str(point), action, self.arguments[action]]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            said = process.stdout.readline().strip()
            process.kill()
        assert said == "reached"


def seen_in(store: Store) -> list[tuple[Any, ...]]:
    return stored(store, "ReportId", "TimeGenerated")


@pytest.mark.parametrize("action", POINTS)
def test_a_change_has_these_points(tmp_path: Path, action: str) -> None:
    assert len(World(tmp_path / "world").change(action)) == POINTS[action]


@pytest.mark.parametrize(("action", "point"), CASES)
def test_a_change_killed_at_any_point_was_never_there_or_is_whole_and_can_be_made_again(
    tmp_path: Path, action: str, point: int
) -> None:
    world, reference = World(tmp_path / "world"), World(tmp_path / "reference")
    before = seen_in(world.store)
    reference.change(action)
    after = seen_in(reference.store)

    world.kill_at(action, point)

    is_done = point == POINTS[action]
    assert seen_in(world.store) == (after if is_done else before)
    if not is_done:
        world.change(action)
    assert seen_in(world.store) == after
    assert_nothing_is_left_over(world.store)


def assert_nothing_is_left_over(store: Store) -> None:
    with store.writing():
        pass
    files = {store.path_of(file) for file in store.manifest().files}
    assert {path for part in ("days", "doubles") for path in store.folder.glob(f"{part}/*/*")} == files
    assert not store.staging_folder.exists() or not list(store.staging_folder.iterdir())
    imports = {record.import_id for record in store.imports()}
    assert {path.stem for path in store.bad_lines_folder.glob("*")} <= imports
