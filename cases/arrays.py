"""Long lists as parameters, written as PostgreSQL writes arrays.

The database's client looks at each item of a list anew, which took a third of a bulk decision's own time.
The place of such a parameter names its type: `%s::bigint[]`.
"""

from __future__ import annotations

from collections.abc import Iterable


def array_of_numbers(numbers: Iterable[int | None]) -> str:
    return "{" + ",".join("NULL" if number is None else str(number) for number in numbers) + "}"


def array_of_texts(texts: Iterable[str | None]) -> str:
    return "{" + ",".join("NULL" if text is None else _quoted(text) for text in texts) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
