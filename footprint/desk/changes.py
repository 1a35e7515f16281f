"""The before and after of a ledger entry, field by field, as people read it. Pure: no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOTHING = "none"


@dataclass(frozen=True, slots=True)
class ChangedField:
    """`before` is None when the entry tells of no state before."""

    name: str
    before: str | None
    after: str | None

    @property
    def differs(self) -> bool:
        return self.before is not None and self.after is not None and self.before != self.after


def changed_fields(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None
) -> list[ChangedField]:
    """Fields that differ first, then by name; what is empty throughout is left out."""
    names = sorted({*(before or {}), *(after or {})})
    fields = [
        ChangedField(
            name.replace("_", " "),
            None if before is None else in_words(before.get(name)),
            None if after is None else in_words(after.get(name)),
        )
        for name in names
    ]
    told = [field for field in fields if {field.before, field.after} - {NOTHING, None}]
    return sorted(told, key=lambda field: not field.differs)


def in_words(value: object) -> str:
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{str(name).replace('_', ' ')} {in_words(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(in_words(each) for each in value)
    return str(value)
