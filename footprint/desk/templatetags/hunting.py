"""Runs, days and queries as drawings and text: `{% load hunting %}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cases.models import Case
from footprint.desk.day_bars import day_bars as drawn_day_bars
from footprint.desk.run_spark import run_spark as drawn_run_spark
from hunts import news
from hunts.lookups import is_wide
from hunts.models import Hunt, LookUp, Run
from hunts.progress import Progress, progress_of

register = template.Library()

_KQL = re.compile(
    r"""(?P<comment>//[^\n]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*")
      | (?P<word>\b(?:where|summarize|project|distinct|let|by|and|or|datetime|bin|min|max|count|dcount
                 |dcountif|make_set|isnotempty|tolower|hash_md5|strcat|startswith)\b|in~|=~|(?<=\n)\|)""",
    re.VERBOSE,
)
_CLASS = {"comment": "kql-comment", "text": "kql-text", "word": "kql-word"}
# Beyond this length colour would only make the page slow.
_COLOURED_AT_MOST = 20_000
_LOOK_UPS_SHOWN = 10


@register.simple_tag
def run_progress(run: Run) -> Progress:
    """How far a run is."""
    slices = list(run.slices.only("run_id", "purpose", "state", "estimated_groups", "not_before"))
    return progress_of(run, slices, timezone.now())


@register.simple_tag
def day_bars(rows: Sequence[int], last: date) -> SafeString:
    """Rows per UTC day, the last of them on `last`."""
    return drawn_day_bars(rows, last)


@register.simple_tag
def run_spark(runs: Sequence[Run]) -> SafeString:
    """The last runs of a hunt, oldest first."""
    return drawn_run_spark(runs)


@register.simple_tag
def case_hunts(case: Case) -> list[Hunt]:
    """The hunts of a case, with what their schedules need to be shown."""
    return list(case.hunts.select_related("source", "paused_by").order_by("pk"))


@register.simple_tag
def look_ups_about(case: Case, subject: str) -> LookUp | None:
    """The last look-up of the case about this."""
    found: LookUp | None = (
        case.look_ups.filter(subject=subject).select_related("source", "asked_by").order_by("-pk").first()
    )
    return found


@register.simple_tag
def look_ups_everywhere(subject: str) -> list[LookUp]:
    """The last look-ups about this in all cases."""
    found = LookUp.objects.filter(subject=subject).select_related("case", "source", "asked_by")
    return list(found.defer("rows", "kql").order_by("-pk")[:_LOOK_UPS_SHOWN])


@register.filter
def asks_all_tables(look: LookUp) -> bool:
    return is_wide(look)


@register.simple_tag
def run_news(run: Run) -> list[news.NewsPart]:
    """What is new in the run, a few rows of each kind."""
    return news.parts_of(run)


@register.filter
def kql(text: str) -> SafeString:
    """A query with its words, texts and comments told apart. The characters stay exactly the same."""
    if len(text) > _COLOURED_AT_MOST:
        return format_html("{}", text)
    parts: list[SafeString] = []
    at = 0
    for found in _KQL.finditer(text):
        parts.append(format_html("{}", text[at : found.start()]))
        css = _CLASS[str(found.lastgroup)]
        parts.append(format_html('<span class="{}">{}</span>', css, found[0]))
        at = found.end()
    parts.append(format_html("{}", text[at:]))
    return mark_safe("".join(parts))  # noqa: S308  # every part is escaped above


@register.filter
def megabytes(count: int) -> str:
    """ "6.1", "<0.1"; nothing at all stays empty."""
    if count == 0:
        return ""
    return f"{count / 1_000_000:,.1f}" if count >= 50_000 else "<0.1"
