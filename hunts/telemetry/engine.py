"""DuckDB as stores are written with it, and the form of their files."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from hunts.telemetry.columns import FILE_COLUMN, SORT_COLUMNS
from hunts.telemetry.names import ASCII_LOWER
from hunts.telemetry.parquet import sql_text

MEMORY_LIMIT = "1GB"
# DuckDB holds whole row groups, per thread, and a day of long command lines must fit too. One thread is
# enough: most of the time goes into reading, which happens meanwhile.
THREADS = 1
# Small groups, so that the rows of one file name are found by the groups' least and greatest FileKey: a
# rare name costs one group of each file. But not so many that a file's directory of groups takes longer
# to read than a group, and more memory: a database keeps those of all files.
LEAST_GROUP_ROWS, MOST_GROUP_ROWS = 2_048, 65_536
GROUPS_PER_FILE = 32
ROW_GROUP_BYTES = "32MB"
# DuckDB makes groups of whole vectors.
_VECTOR_ROWS = 2_048

_UPPER = "".join(chr(letter) for letter in ASCII_LOWER)
FILE_KEY = f"translate({FILE_COLUMN}, '{_UPPER}', '{_UPPER.lower()}')"


def engine(folder: Path) -> duckdb.DuckDBPyConnection:
    """`folder` is on the store's disk and takes what does not fit into memory."""
    spill = folder / "spill"
    spill.mkdir(parents=True)
    return duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": str(spill),
            # Else row groups cannot be bounded in bytes. One thread keeps the order of ORDER BY.
            "preserve_insertion_order": False,
        }
    )


def write_sorted(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], rows: str, count: int, target: Path
) -> None:
    """Writes the `count` rows that `rows` gives, SQL from FROM on.

    Named columns keep every file of a store to one schema.
    """
    vectors = -(-count // (GROUPS_PER_FILE * _VECTOR_ROWS))
    group_rows = min(MOST_GROUP_ROWS, max(LEAST_GROUP_ROWS, vectors * _VECTOR_ROWS))
    [(written,)] = connection.execute(
        f"COPY (SELECT {', '.join(columns)} {rows} ORDER BY {', '.join(SORT_COLUMNS)})"
        f" TO {sql_text(target)} (FORMAT parquet, COMPRESSION zstd,"
        f" ROW_GROUP_SIZE {group_rows}, ROW_GROUP_SIZE_BYTES '{ROW_GROUP_BYTES}')"
    ).fetchall()
    if written != count:
        raise duckdb.Error(f"{count} rows were to be written and {written} were")
