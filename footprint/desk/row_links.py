"""The addresses that a row of the queue leads to, escaped for the markup that queue_row.py writes.

A page holds fifty rows with ten links each: put together by the template they took half of its time.
"""

from __future__ import annotations

from dataclasses import dataclass

from cases.models import CaseValue
from footprint.desk.drawn import escaped
from footprint.desk.shown import visible


@dataclass(frozen=True, slots=True)
class RowLinks:
    """`name` is the value as it is shown; `part` answers htmx with the row, the others are whole pages."""

    pk: str
    name: str
    page: str
    part: str
    rest: str
    _start: str

    @classmethod
    def of(cls, value: CaseValue, query: str) -> RowLinks:
        """`query` is that of the filters, escaped."""
        case, pk = f"/cases/{value.case_id}/", str(value.pk)
        page = f"{case}values/{pk}/"
        return cls(
            pk=pk,
            name=escaped(visible(value.value)),
            page=page,
            part=f"{page}row",
            rest=f"{case}?{query}#value-{pk}",
            _start=f"{case}?{query}&amp;" if query else f"{case}?",
        )

    @property
    def unfold(self) -> str:
        return f"{self._start}unfold={self.pk}#value-{self.pk}"

    @property
    def allow(self) -> str:
        return f"{self._start}decide={self.pk}&amp;verdict_as=allowed#value-{self.pk}"

    @property
    def block(self) -> str:
        return f"{self._start}decide={self.pk}&amp;verdict_as=blocked#value-{self.pk}"

    @property
    def wider(self) -> str:
        return f"{self._start}decide={self.pk}&amp;verdict_as=blocked&amp;wider=1#value-{self.pk}"
