"""What every template may use: `{% load desk %}`. Tags draw; they decide nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

from django import template
from django.forms import BoundField
from django.template import Context, Engine
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from cases.models import Case, CaseValue
from cases.views.marks import Mark
from cases.views.rows import Row
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.desk import drawn, frame, glyphs, nav_links, shown, sparkline, times
from footprint.desk import signals as signal_list
from footprint.desk.queue_row import Around
from footprint.desk.queue_row import queue_value as drawn_value
from footprint.desk.week_bars import week_bars as drawn_week_bars

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """An icon by our own noun (glyphs.ICONS). Decoration: the words stand beside it or in aria-label."""
    return drawn.icon(name, size)


@register.simple_tag
def glyph(word: str) -> SafeString:
    """Only the shape of a verdict or state."""
    return glyphs.glyph(word)


@register.simple_tag
def verdict(word: str, who: str = "") -> SafeString:
    """Shape and word of a verdict: allowed, blocked, undecided, proposed."""
    return glyphs.with_glyph("verdict", word, who=who)


@register.simple_tag
def state(word: str, said: str = "") -> SafeString:
    """Shape and word of a run, a slice or a day; `said` is shown in the word's place."""
    return glyphs.with_glyph("state", word, said=said)


@register.filter
def number(value: int | None) -> str:
    """1,234. Unknown stays empty, zero is 0."""
    return drawn.number(value)


@register.filter
def at_least(value: int | None, more: bool) -> str:
    """25+ where the set behind the number was cut."""
    return drawn.at_least(value, more)


@register.simple_tag
def count(value: int, one: str, many: str = "") -> str:
    """ "1 value", "3,180 values"."""
    return drawn.count(value, one, many)


@register.simple_tag
def when(moment: datetime | None) -> str:
    """ "6 min" or "23 Nov 18:04" in the reader's zone; the exact time and UTC in the title."""
    return drawn.when(moment)


@register.simple_tag
def moment(value: datetime | None) -> str:
    """ "24 Nov 2026 09:08:51" in the reader's zone, UTC in the title."""
    return "" if value is None else drawn.time(value, times.exact_time(drawn.in_readers_zone(value)))


@register.filter
def day(value: date | None) -> str:
    """ "24 Nov": a whole UTC day."""
    return "" if value is None else times.short_day(value, datetime.now(UTC).date())


@register.filter
def utc(moment: datetime | None) -> str:
    """ "24 Nov 2026 14:02 UTC": for pages that are printed."""
    return "" if moment is None else times.utc_minute(moment)


@register.filter
def lasting(seconds: float) -> str:
    """ "40 min", "5 h", "12 days"."""
    return times.lasting(timedelta(seconds=seconds))


@register.filter
def waits_since(moment: datetime) -> str:
    return times.lasting(timezone.now() - moment)


@register.simple_tag
def week_bars(new: Sequence[int], decided: Sequence[int], first: date) -> SafeString:
    """Two bars a day, from the Monday `first` on."""
    return drawn_week_bars(new, decided, first, datetime.now(UTC).date())


@register.filter
def took(seconds: float | None) -> str:
    return "" if seconds is None else times.length(seconds)


@register.filter
def visible(text: object) -> str:
    """For every text that came with telemetry: what cannot be seen is shown as an escape."""
    return shown.visible(str(text))


@register.filter
def defanged(text: str) -> str:
    return shown.visible(shown.defanged(text))


@register.filter
def middle_cut(text: str) -> str:
    return shown.middle_cut(shown.visible(text))


@register.simple_tag
def value_cut(value: str) -> SafeString:
    """A value in a row: the subdomain gives way first, the registered domain is never cut."""
    return drawn.value_cut(value)


@register.simple_tag
def spark(value: CaseValue, fresh_from: datetime | None = None, gaps: Collection[date] = ()) -> SafeString:
    """The thirty days of a value."""
    return sparkline.sparkline(
        value.strip,
        value.strip_to,
        today=datetime.now(UTC).date(),
        fresh_from=fresh_from.astimezone(UTC).date() if fresh_from else None,
        gaps=gaps or (),
    )


@register.simple_tag
def copy(
    text: str, what: str = "Copy", css: str = "btn btn-sm btn-quiet btn-icon", word: str = ""
) -> SafeString:
    """A button that copies the raw text. Without JavaScript it is not shown."""
    return format_html(
        '<button type="button" class="{} needs-js" data-copy="{}" aria-label="{}" title="{}">{}{}</button>',
        css,
        text,
        what,
        what,
        icon("copy"),
        format_html(" {}", word) if word else "",
    )


@register.simple_tag
def widget(field: BoundField, css: str = "field", **attrs: object) -> SafeString:
    """A form field with our class; `aria-describedby` and `aria-invalid` come from Django."""
    named: dict[str, str | bool] = {name.replace("_", "-"): str(value) for name, value in attrs.items()}
    named["class"] = css
    return field.as_widget(attrs=named)


@register.simple_tag(takes_context=True)
def allowed(context: Context, verb: str, thing: object = None) -> bool:
    """`{% allowed "cases:decide" case as may_decide %}`: may the reader do it?"""
    request = context.get("request")
    return request is not None and may(request.user, Verb(verb), thing)


@register.simple_tag(takes_context=True)
def my_cases(context: Context) -> list[frame.MyCase]:
    """The open cases at the reader's hand, youngest first, for the rail."""
    request = context.get("request")
    if request is None or not isinstance(request.user, Person):
        return []
    return frame.my_cases(request.user)


@register.simple_tag
def rail_link(key: str, name: str, route: str, nav: str | None = None) -> SafeString:
    """One page in the rail; `key` is its icon and what `nav` is on that page."""
    return nav_links.rail_link(key, name, route, is_current=nav == key)


@register.simple_tag
def bottombar_link(key: str, name: str, route: str, nav: str | None = None) -> SafeString:
    """The same in the rail of a phone."""
    return nav_links.bottombar_link(key, name, route, is_current=nav == key)


@register.simple_tag
def case_frame(case: Case, undecided: int | str | None = None) -> frame.CaseFrame:
    """What the head of a case needs from both rooms; `undecided` where the page has counted it."""
    return frame.case_frame(case, undecided if isinstance(undecided, int) else None)


@register.simple_tag
def case_coverage(case: Case) -> frame.CaseCoverage:
    """Which of the last 30 UTC days are not covered."""
    return frame.case_coverage(case)


@register.simple_tag(takes_context=True)
def queue_rows(context: Context, rows: Sequence[Row], level: int = 1, is_changed: bool = False) -> SafeString:
    """Rows of the queue, each with what is open under it; `is_changed` ones are swapped in out of band.

    Context: query, new_since, coverage (optional), oob, and what the editor and the pairs need.
    """
    around = _around(context, level, is_changed=is_changed)
    drawn_rows = [drawn_value(row, around, _under(context, row)) for row in rows]
    return mark_safe("".join(drawn_rows))  # noqa: S308  # escaped where they are made


@register.simple_tag(takes_context=True)
def queue_row(context: Context, row: Row) -> SafeString:
    return queue_rows(context, [row])


def _under(context: Context, row: Row) -> str:
    if not row.editor and not row.pairs:
        return ""
    with context.push(row=row, value=row.value):
        under = Engine.get_default().get_template("cases/queue_under.html")
        return str(under.render(context))


def _around(context: Context, level: int, *, is_changed: bool) -> Around:
    coverage = context.get("coverage")
    return Around.now(
        query=context.get("query") or "",
        csrf_token=str(context.get("csrf_token") or ""),
        new_since=context.get("new_since"),
        gaps=coverage.gaps if coverage else (),
        level=level,
        is_changed=is_changed,
        is_oob=is_changed or bool(context.get("oob")),
        is_all_selected=bool(context.get("is_all_selected")),
    )


@register.simple_tag
def signals_of_text(value: str, kind: str) -> list[Mark]:
    """What a value tells by itself, where no case stands beside it."""
    return signal_list.signals_of(value, kind, is_new=False, decided=0, endpoints=0)


@register.filter
def words(text: str) -> list[str]:
    """ "a b c" as a list, for loops over a few fixed words."""
    return text.split()


@register.simple_tag
def ago(moment: datetime) -> str:
    """ "6 min ago", "on 23 Nov 18:04"; the exact time in the title."""
    said = times.short_time(drawn.in_readers_zone(moment), timezone.now())
    words = said if said == "just now" else f"on {said}" if ":" in said else f"{said} ago"
    return drawn.time(moment, words)


@register.simple_tag
def until(moment: datetime) -> str:
    """ "in 6 days"; the exact time in the title."""
    return drawn.time(moment, times.until(moment, timezone.now()))


@register.simple_tag
def age(moment: datetime) -> str:
    """ "6 min ago", "2 days ago"; the exact time in the title."""
    return drawn.time(moment, times.age(moment, timezone.now()))


@register.simple_tag
def newer(moment: datetime | None, since: datetime | None) -> bool:
    """Whether it came since then; nothing is new to who was never there."""
    return moment is not None and since is not None and moment > since
