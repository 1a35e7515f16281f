"""A DuckDB database that can answer KQL about some Parquet files and do nothing else.

duckdb-kql translates, and three things are put right here so that the answers are Kusto's:
`=~`, `in~` and tolower() fold ASCII letters only; make_set() takes text for text, even when it reads
like a JSON array; and the table has the recorded columns alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

import duckdb

from hunts.kql.footprint import TABLE
from hunts.kql.window import Window
from hunts.sources.errors import Unavailable
from hunts.telemetry.columns import RECORDED, TIME_COLUMN

# A macro shadows the function of its name in every statement of the database, views included.
_FOLD_ASCII_ONLY = f"""
    CREATE MACRO lower(text) AS CASE
        WHEN strlen(text) = length(text) THEN system.main.lower(text)
        ELSE translate(text, '{ascii_uppercase}', '{ascii_lowercase}') END
"""

# duckdb-kql's make_set() asks whether a value parses as a JSON array and then expects to_json() to
# give one. For text it does not: a command line `[1]` would end the whole question with an error.
_KEEP_TEXT_AS_TEXT = r"""
    CREATE MACRO to_json(value) AS CASE
        WHEN typeof(value) = 'VARCHAR' AND starts_with(ltrim(CAST(value AS VARCHAR), E' \t\n\r'), '[')
            AND json_type(TRY_CAST(value AS JSON)) = 'ARRAY'
        THEN json_array(value) ELSE system.main.to_json(value) END
"""


@dataclass(frozen=True)
class Limits:
    memory: str = "1GB"
    threads: int = 2
    # What does not fit into memory is laid aside here, up to this size.
    scratch_size: str = "8GB"


@dataclass(frozen=True)
class Visible:
    """What one question can see."""

    files: Sequence[Path]
    window: Window
    # Only rows of these files, by their lower-cased name; None is all.
    names: Sequence[str] | None = None


def locked_database(files: Sequence[Path], limits: Limits, scratch: Path) -> duckdb.DuckDBPyConnection:
    """It can read these files, for any number of questions. DuckDB makes `scratch` when it needs it."""
    database = duckdb.connect(
        config={
            "memory_limit": limits.memory,
            "threads": limits.threads,
            "temp_directory": str(scratch),
            "max_temp_directory_size": limits.scratch_size,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    try:
        _prepare(database, files)
    except duckdb.Error as error:
        database.close()
        # Nothing of a query is in here, so it is the files.
        raise Unavailable("The imported telemetry cannot be read.", said=str(error)) from error
    return database


def question_connection(database: duckdb.DuckDBPyConnection, visible: Visible) -> duckdb.DuckDBPyConnection:
    """Of one question: nobody else sees its table."""
    connection = database.cursor()
    try:
        connection.execute(f"CREATE TEMP VIEW {TABLE} AS {rows_sql(visible)}")
    except duckdb.Error as error:
        connection.close()
        raise Unavailable("The imported telemetry cannot be read.", said=str(error)) from error
    return connection


def _prepare(database: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    for statement in (
        "SET GLOBAL TimeZone='UTC'",
        "SET GLOBAL preserve_insertion_order=false",
        # Where a file's rows lie is read once. The rows themselves are not kept: other questions want others.
        "SET GLOBAL parquet_metadata_cache=true",
        "SET GLOBAL enable_external_file_cache=false",
        f"SET GLOBAL allowed_paths=[{_paths(files)}]",
        "SET GLOBAL enable_external_access=false",
        _FOLD_ASCII_ONLY,
        _KEEP_TEXT_AS_TEXT,
        "SET GLOBAL lock_configuration=true",
    ):
        database.execute(statement)


def _paths(files: Sequence[Path]) -> str:
    return ", ".join(_sql_text(str(path.absolute())) for path in files)


def rows_sql(visible: Visible) -> str:
    """What a question sees of the files."""
    if not visible.files:
        columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in RECORDED.items())
        return f"SELECT {columns} WHERE false"
    columns = ", ".join(f'"{name}"' for name in RECORDED)
    rows = f"read_parquet([{_paths(visible.files)}], hive_partitioning=false)"
    return " ".join(("SELECT", columns, "FROM", rows, "WHERE", " AND ".join(_conditions(visible)) or "true"))


def _conditions(visible: Visible) -> list[str]:
    """These reach the Parquet reader, which skips the parts of files that cannot hold a match."""
    conditions = []
    if visible.names is not None:
        names = ", ".join(_sql_text(name) for name in visible.names)
        conditions.append(f"FileKey IN ({names})")
    if visible.window.since is not None:
        conditions.append(f"{TIME_COLUMN} >= {_sql_time(visible.window.since)}")
    if visible.window.until is not None:
        conditions.append(f"{TIME_COLUMN} < {_sql_time(visible.window.until)}")
    return conditions


def _sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sql_time(moment: datetime) -> str:
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return f"TIMESTAMP '{naive.isoformat(sep=' ', timespec='microseconds')}'"
