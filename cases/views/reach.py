"""What a decision on a value would cover, counted before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from cases.models import Case, CaseValue, Endpoint


@dataclass(frozen=True, slots=True)
class Reach:
    """`files` are (file, endpoints) of this case; `elsewhere` counts what only everywhere would cover."""

    files: tuple[tuple[str, int], ...]
    elsewhere: int
    other_cases: int

    @property
    def here(self) -> int:
        return sum(endpoints for _, endpoints in self.files)


def reach_of(case: Case, value: CaseValue) -> Reach:
    covered = Endpoint.objects.covered_by(value)
    here = (
        covered.filter(case=case)
        .values_list("file__text")
        .annotate(n=Count("pk"))
        .order_by("-n", "file__text")
    )
    other = covered.exclude(case=case).aggregate(endpoints=Count("pk"), cases=Count("case", distinct=True))
    return Reach(tuple((text, n) for text, n in here), other["endpoints"], other["cases"])
