"""What a run found that is news: values never seen before, back after 30 days, or gone quiet for 30.

Told once, by the run that learned it, and kept: later runs take nothing of it back. docs/schedules.md
says the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection
from django.db.models import Count

from hunts.models import Coverage, Run, RunNews

QUIET_DAYS = 30

# A value counts for a run when one of the hunt's files was seen with it at the hunt's source.
_OF_HUNT = """
    EXISTS (SELECT 1 FROM cases_endpoint e
              JOIN hunts_hunt_files f ON f.casefile_id = e.file_id AND f.hunt_id = %(hunt)s
              JOIN cases_sighting s ON s.endpoint_id = e.id AND s.source = %(source)s
             WHERE e.value = v.value AND e.case_id = v.case_id)
"""

_NEW = f"""
    INSERT INTO hunts_runnews (run_id, value_id, kind, day)
    SELECT %(run)s, v.id, 'new', (v.first_seen AT TIME ZONE 'UTC')::date
      FROM cases_casevalue v
     WHERE v.case_id = %(case)s AND v.added_at >= %(since)s AND {_OF_HUNT}
     ORDER BY v.id
    ON CONFLICT DO NOTHING
"""  # noqa: S608  # every part is a constant; values are parameters

# The first day of a value's strip is the only one in its 30 days that can follow 30 days without it.
_RETURNING = f"""
    WITH seen AS MATERIALIZED (
        SELECT v.id, v.case_id, v.value, v.days, v.first_seen, v.added_at, placed.seen_days,
               v.strip_to - (cardinality(v.strip) - placed.place)::integer AS day
          FROM cases_casevalue v,
               LATERAL (SELECT min(place) AS place, count(*) AS seen_days
                          FROM unnest(v.strip) WITH ORDINALITY AS strip (events, place)
                         WHERE events > 0) placed
         WHERE v.case_id = %(case)s AND v.strip_to >= %(first)s AND placed.place IS NOT NULL
    ), back AS (
        SELECT v.id, v.day,
               (SELECT max(s.day) FROM cases_endpoint e JOIN cases_sighting s ON s.endpoint_id = e.id
                 WHERE e.value = v.value AND e.case_id = v.case_id AND s.day < v.day) AS before
          FROM seen v
         WHERE v.day BETWEEN %(first)s AND %(last)s AND v.days > v.seen_days
           AND v.day > (v.added_at AT TIME ZONE 'UTC')::date
           AND v.day - (v.first_seen AT TIME ZONE 'UTC')::date > %(quiet)s AND {_OF_HUNT}
    )
    INSERT INTO hunts_runnews (run_id, value_id, kind, day, before)
    SELECT %(run)s, id, 'returning', day, before FROM back
     WHERE day - before > %(quiet)s ORDER BY id
    ON CONFLICT DO NOTHING
"""  # noqa: S608  # as above

_QUIET = f"""
    INSERT INTO hunts_runnews (run_id, value_id, kind, day)
    SELECT %(run)s, v.id, 'quiet', v.strip_to
      FROM cases_casevalue v
     WHERE v.case_id = %(case)s AND v.strip_to <= %(over)s::date - %(quiet)s
       AND v.strip_to > (v.added_at AT TIME ZONE 'UTC')::date - %(quiet)s AND {_OF_HUNT}
     ORDER BY v.id
    ON CONFLICT DO NOTHING
"""  # noqa: S608  # as above


@dataclass(frozen=True, slots=True)
class Quiet:
    """Whether silence is proven: every one of the 30 days that were over must be covered."""

    over: date
    lacking: int


def tell_news(run: Run) -> None:
    """Keeps what is news. Called once, when the run concludes, inside its transaction."""
    hunt = run.hunt
    quiet = quiet_of(run)
    given: dict[str, int | str | date | datetime] = {
        "run": run.pk,
        "hunt": hunt.pk,
        "case": hunt.case_id,
        "source": hunt.source.slug,
        "since": run.started_at or run.opened_at,
        "first": run.first_day,
        "last": run.last_day,
        "over": quiet.over,
        "quiet": QUIET_DAYS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NEW, given)
        cursor.execute(_RETURNING, given)
        if not quiet.lacking:
            cursor.execute(_QUIET, given)


@dataclass(frozen=True, slots=True)
class NewsPart:
    kind: str
    words: str
    shown: Sequence[RunNews]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.shown)


def parts_of(run: Run, at_most: int = 10) -> list[NewsPart]:
    """The kinds of news of a run, each with its first rows."""
    totals = dict(run.news.order_by().values_list("kind").annotate(Count("pk")))
    return [
        NewsPart(
            kind.value,
            kind.label,
            list(run.news.filter(kind=kind).select_related("value").order_by("pk")[:at_most])
            if totals.get(kind.value)
            else [],
            totals.get(kind.value, 0),
        )
        for kind in RunNews.Kind
    ]


def quiet_of(run: Run) -> Quiet:
    over = min(run.last_day, run.opened_at.astimezone(UTC).date() - timedelta(days=1))
    days = (over - timedelta(days=QUIET_DAYS - 1), over)
    covered = Coverage.objects.filter(hunt=run.hunt_id, day__range=days, state=Coverage.State.COVERED)
    return Quiet(over, QUIET_DAYS - covered.count())
