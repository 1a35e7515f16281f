"""Long lists as parameters, written as PostgreSQL writes arrays.

The database's client looks at each item of a list anew, which took a third of a bulk decision's own time.
The place of such a parameter names its type: `%s::bigint[]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast


def array_of_numbers(numbers: Iterable[int | None]) -> str:
    return "{" + ",".join(map(str, numbers)).replace("None", "NULL") + "}"


def array_of_texts(texts: Iterable[str | None]) -> str:
    items = list(texts)
    if not items:
        return "{}"
    if None not in items:
        joined = '","'.join(cast(list[str], items))
        # Nearly always: no quotation mark but those just put there.
        if "\\" not in joined and joined.count('"') == 2 * len(items) - 2:
            return f'{{"{joined}"}}'
    return "{" + ",".join("NULL" if text is None else _quoted(text) for text in items) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
