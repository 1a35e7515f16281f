from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from cases.models import Case, ReviewDue


class ReviewDueQuerySet(models.QuerySet["ReviewDue"]):
    def waiting(self) -> Self:
        return self.filter(confirmed_at=None)

    def of_files(self, case: Case) -> Self:
        return self.filter(case=case, file__isnull=False)

    def of_values(self, case: Case) -> Self:
        return self.filter(case=case, file=None)

    def upto(self, pk: int) -> list[ReviewDue]:
        """The waiting ones that came no later than this one, locked in their order."""
        return list(self.waiting().filter(pk__lte=pk).order_by("pk").select_for_update())
