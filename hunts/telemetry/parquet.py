"""Names and paths in DuckDB's SQL."""

from collections.abc import Sequence
from pathlib import Path


def sql_parquet(paths: Sequence[Path], *options: str) -> str:
    """The rows of Parquet files, as they are: nothing is read from their folders' names."""
    return f"read_parquet({', '.join((_sql_list(paths), 'hive_partitioning=false', *options))})"


def sql_text(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def sql_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sql_list(paths: Sequence[Path]) -> str:
    return f"[{', '.join(map(sql_text, paths))}]"
