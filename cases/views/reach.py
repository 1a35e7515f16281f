"""What a decision on a value would cover, counted before anything is saved."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count

from cases.models import Case, CaseValue, Endpoint

# So many endpoints are counted, here and elsewhere; more is "at least".
COUNTED_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Reach:
    """`files` are (file, endpoints) of this case; `elsewhere` counts what only everywhere would cover."""

    files: tuple[tuple[str, int], ...]
    elsewhere: int
    other_cases: int

    @property
    def here(self) -> int:
        return sum(endpoints for _, endpoints in self.files)

    @property
    def here_is_cut(self) -> bool:
        return self.here >= COUNTED_AT_MOST

    @property
    def elsewhere_is_cut(self) -> bool:
        return self.elsewhere >= COUNTED_AT_MOST


def reach_of(case: Case, value: CaseValue) -> Reach:
    covered = Endpoint.objects.covered_by(value)
    here = (
        covered.filter(case=case)
        .first_of(COUNTED_AT_MOST)
        .values_list("file__text")
        .annotate(n=Count("pk"))
        .order_by("-n", "file__text")
    )
    elsewhere = covered.exclude(case=case).first_of(COUNTED_AT_MOST)
    other = elsewhere.aggregate(endpoints=Count("pk"), cases=Count("case", distinct=True))
    return Reach(tuple((text, n) for text, n in here), other["endpoints"], other["cases"])
