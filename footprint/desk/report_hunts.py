"""What the hunts of a case asked, and what of it is proven."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max

from cases.models import Case
from footprint.desk.coverage_told import CoverageTold, coverage_told
from hunts.actions import LookBack
from hunts.models import Coverage, Hunt, Run, Slice


@dataclass(frozen=True, slots=True)
class HuntAsked:
    """`digest` is the SHA-256 of the texts sent by the last run, each followed by a NUL, in their order."""

    hunt: Hunt
    files: int
    runs: Mapping[str, int]
    last: Run | None
    texts: int
    digest: str
    coverage: CoverageTold

    @property
    def runs_in_words(self) -> str:
        return ", ".join(f"{count:,} {state}" for state, count in self.runs.items()) or "none"


def hunts_asked(case: Case, today: date) -> list[HuntAsked]:
    hunts = list(case.hunts.select_related("source").order_by("pk"))
    files = dict(case.hunts.order_by().values_list("pk").annotate(Count("files")))
    runs: dict[int, Counter[str]] = defaultdict(Counter)
    counted = Run.objects.filter(hunt__case=case).order_by("hunt", "state").values_list("hunt", "state")
    for hunt_id, state, count in counted.annotate(Count("pk")):
        runs[hunt_id][state] = count
    newest = Run.objects.filter(hunt__case=case).order_by().values("hunt").annotate(newest=Max("pk"))
    last = {run.hunt_id: run for run in Run.objects.filter(pk__in=[each["newest"] for each in newest])}
    texts = _texts_of(list(last.values()))
    states: dict[int, dict[date, str]] = defaultdict(dict)
    for hunt_id, day, state in Coverage.objects.filter(hunt__case=case).values_list("hunt", "day", "state"):
        states[hunt_id][day] = state
    return [
        HuntAsked(
            hunt=hunt,
            files=files[hunt.pk],
            runs=runs[hunt.pk],
            last=last.get(hunt.pk),
            texts=len(texts[hunt.pk]),
            digest=_digest(texts[hunt.pk]),
            coverage=coverage_told(
                states[hunt.pk],
                first_asked=LookBack(hunt.look_back_days, hunt.since).first_day(today),
                today=today,
            ),
        )
        for hunt in hunts
    ]


def _texts_of(runs: Sequence[Run]) -> dict[int, list[str]]:
    hunts = {run.pk: run.hunt_id for run in runs}
    sent = Slice.objects.filter(run__in=list(hunts)).exclude(kql="").order_by("run", "pk")
    found: dict[int, list[str]] = defaultdict(list)
    for run_id, kql in sent.values_list("run", "kql"):
        found[hunts[run_id]].append(kql)
    return found


def _digest(texts: Sequence[str]) -> str:
    """Empty when nothing was sent."""
    if not texts:
        return ""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()
