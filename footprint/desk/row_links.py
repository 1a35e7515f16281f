"""The addresses that a row of the queue leads to, escaped for the markup that queue_row.py writes.

A page holds fifty rows with ten links each: put together by the template they took half of its time.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from cases.models import CaseValue
from footprint.desk.shown import visible


@dataclass(frozen=True, slots=True)
class RowLinks:
    """`name` is the value as it is shown; `part` answers htmx with the row, the others are whole pages."""

    pk: str
    name: SafeString
    page: str
    part: str
    rest: SafeString
    _case: str
    _start: SafeString

    @classmethod
    def of(cls, value: CaseValue, query: str) -> RowLinks:
        case, pk = f"/cases/{value.case_id}/", str(value.pk)
        kept = escape(query)
        return cls(
            pk=pk,
            name=escape(visible(value.value)),
            page=f"{case}values/{pk}/",
            part=f"{case}values/{pk}/row",
            rest=mark_safe(f"{case}?{kept}#value-{pk}"),  # noqa: S308  # escaped above
            _case=case,
            _start=mark_safe(f"{case}?{kept}&amp;" if kept else f"{case}?"),  # noqa: S308  # as above
        )

    @property
    def unfold(self) -> SafeString:
        return self._to(f"unfold={self.pk}")

    @property
    def allow(self) -> SafeString:
        return self._to(f"decide={self.pk}&amp;verdict_as=allowed")

    @property
    def block(self) -> SafeString:
        return self._to(f"decide={self.pk}&amp;verdict_as=blocked")

    @property
    def wider(self) -> SafeString:
        return self._to(f"decide={self.pk}&amp;verdict_as=blocked&amp;wider=1")

    def _to(self, what: str) -> SafeString:
        return mark_safe(f"{self._start}{what}#value-{self.pk}")  # noqa: S308  # made of numbers and escaped text
