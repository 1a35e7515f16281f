# ruff: noqa: S608  # SQL is made of column names, numbers and paths, which are quoted
"""Writing days of a store anew: without an import, or many small files as one.

What a day holds is settled from all rows that its imports brought, visible ones and doubles: of equal rows
the one of the earliest import is visible. So a store without an import is the store that would be there
had the other imports been made alone, in their order.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from hunts.telemetry.columns import EVENT_COLUMNS, HAS_REPORT, NUMBER_COLUMN, RECORDED
from hunts.telemetry.engine import engine, write_sorted
from hunts.telemetry.manifest import DayFile
from hunts.telemetry.parquet import sql_parquet
from hunts.telemetry.store import Store, move, new_id

_PLACE_BITS = 40


@dataclass(frozen=True)
class Rewritten:
    """Files that wait in the staging folder to be moved into place."""

    files: tuple[tuple[Path, DayFile], ...]

    def publishable(self) -> list[DayFile]:
        return [file for _, file in self.files]

    def move_into(self, store: Store) -> None:
        for path, file in self.files:
            move(path, store.path_of(file))


class DayRewriter:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._id = new_id(datetime.now(UTC))
        self._folder = store.staging_folder / self._id
        self._folder.mkdir(parents=True)
        self._connection = engine(self._folder)

    def __enter__(self) -> "DayRewriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def rewrite(self, day: date, files: Sequence[DayFile], without: Collection[int] = ()) -> Rewritten:
        """`files` are all of that day. Those of imports in `without` count for nothing."""
        numbers = sorted({number for file in files for number in file.rows_by_import} - set(without))
        if not numbers:
            return Rewritten(())
        self._show_rows(files, without)
        if not any(file.doubles for file in files):
            return Rewritten(self._write(day, False, "FROM rows", numbers))
        self._settle()
        visible = self._write(day, False, "FROM rows SEMI JOIN first USING (Place)", numbers)
        doubles = self._write(day, True, "FROM rows ANTI JOIN first USING (Place)", numbers)
        return Rewritten((*visible, *doubles))

    def _show_rows(self, files: Sequence[DayFile], without: Collection[int]) -> None:
        parts = [self._part(place, file) for place, file in enumerate(files)]
        condition = f" WHERE {NUMBER_COLUMN} NOT IN ({', '.join(map(str, without))})" if without else ""
        self._connection.execute(
            f"CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM ({' UNION ALL '.join(parts)}){condition}"
        )

    def _part(self, place: int, file: DayFile) -> str:
        numbers = list(file.rows_by_import)
        number = f"{numbers[0]} AS {NUMBER_COLUMN}" if len(numbers) == 1 else NUMBER_COLUMN
        columns = ", ".join((*RECORDED, "FileKey", number))
        return (
            f"SELECT {columns}, ({place}::BIGINT << {_PLACE_BITS}) + file_row_number AS Place"
            f" FROM {sql_parquet([self._store.path_of(file)], 'file_row_number=true')}"
        )

    def _settle(self) -> None:
        """Into `first`: of equal rows the place of the earliest import's."""
        run = self._connection.execute
        run("CREATE OR REPLACE TEMP TABLE first (Place BIGINT)")
        for keys, condition in ((EVENT_COLUMNS, HAS_REPORT), (tuple(RECORDED), f"NOT ({HAS_REPORT})")):
            if run(f"SELECT 1 FROM rows WHERE {condition} LIMIT 1").fetchall():
                run(
                    f"INSERT INTO first SELECT min_by(Place, {NUMBER_COLUMN}) FROM rows"
                    f" WHERE {condition} GROUP BY {', '.join(keys)}"
                )

    def _write(
        self, day: date, doubles: bool, rows: str, numbers: Sequence[int]
    ) -> tuple[tuple[Path, DayFile], ...]:
        counted = self._connection.execute(
            f"SELECT {NUMBER_COLUMN}, count(*) {rows} GROUP BY 1 ORDER BY 1"
        ).fetchall()
        if not counted:
            return ()
        rows_by_import = {int(number): int(found) for number, found in counted}
        several = (f"{NUMBER_COLUMN}::INTEGER AS {NUMBER_COLUMN}",) if len(rows_by_import) > 1 else ()
        path = self._folder / f"{day.isoformat()}-{doubles}.parquet"
        count = sum(rows_by_import.values())
        write_sorted(self._connection, (*RECORDED, "FileKey", *several), rows, count, path)
        return ((path, DayFile(day, self._id, rows_by_import, path.stat().st_size, doubles)),)
