"""One value of the queue as a row, around its editor and its pairs.

Drawn here and not by a template: a page has fifty rows of a hundred parts each, and looking those up in a
template's context took most of the page's time. What telemetry or a person wrote goes through `escaped`; all
other parts are numbers, words of ours and the addresses of RowLinks.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from cases.models import CaseValue, Proposal
from cases.views.marks import Mark
from cases.views.rows import Row
from footprint.desk import glyphs
from footprint.desk.drawn import Clock, at_least, count, escaped, icon, number, value_cut
from footprint.desk.row_links import RowLinks
from footprint.desk.shown import visible
from footprint.desk.signals import AT_MOST, signals_of
from footprint.desk.sparkline import ThirtyDays

PORTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Around:
    """What the rows of a page have in common, made once for all. `level` is that of a tree."""

    query: str
    csrf_token: str
    clock: Clock
    days: ThirtyDays
    level: int
    is_changed: bool
    is_oob: bool
    is_all_selected: bool

    @classmethod
    def now(
        cls,
        *,
        query: str,
        csrf_token: str,
        new_since: datetime | None,
        gaps: Collection[date],
        level: int = 1,
        is_changed: bool = False,
        is_oob: bool = False,
        is_all_selected: bool = False,
    ) -> Around:
        """`query` is that of the filters, `gaps` the days that are not covered."""
        clock = Clock.now()
        fresh_from = new_since.astimezone(UTC).date() if new_since else None
        return cls(
            query=escaped(query),
            csrf_token=escaped(csrf_token),
            clock=clock,
            days=ThirtyDays.to(clock.today, fresh_from, gaps),
            level=level,
            is_changed=is_changed,
            is_oob=is_oob,
            is_all_selected=is_all_selected,
        )


def queue_value(row: Row, around: Around, under: str = "") -> SafeString:
    """The row and what is open under it: the unit that htmx swaps."""
    css = "vgroup is-changed" if around.is_changed else "vgroup"
    oob = ' hx-swap-oob="outerHTML"' if around.is_oob else ""
    return mark_safe(  # noqa: S308  # escaped where it is made
        f'<div role="rowgroup" id="value-{row.value.pk}" class="{css}"{oob}>'
        f"{_row(row, around)}{under}</div>\n"
    )


def _row(row: Row, around: Around) -> str:
    to = RowLinks.of(row.value, around.query)
    expanded = "true" if row.pairs else "false"
    return (
        f'<div role="row" class="{_css(row)}" aria-level="{around.level}" aria-expanded="{expanded}"'
        f' tabindex="-1" data-row="{to.pk}" data-version="{row.version}">'
        f"{_fold(row, to, around)}{_seen(row, to, around)}{_numbers(row)}"
        f'<span role="gridcell" class="c-verdict vcell"><span class="at-rest">{_at_rest(row)}</span>'
        f"{_acts(row, to, around) if row.may_decide else ''}</span></div>"
    )


def _css(row: Row) -> str:
    said = (("is-new", row.is_new), ("is-done", not row.value.is_open), ("is-current", row.editor))
    return " ".join(["qrow is-value", *(css for css, is_so in said if is_so)])


def _fold(row: Row, to: RowLinks, around: Around) -> str:
    pick = _pick(to, is_all_selected=around.is_all_selected) if row.may_decide else ""
    fold = _folds(to) if row.pairs else _unfolds(to, row.value)
    return f'<span role="gridcell" class="c-fold">{pick} {fold}</span>'


def _pick(to: RowLinks, *, is_all_selected: bool) -> str:
    chosen = " checked disabled" if is_all_selected else ""
    return (
        f'<input class="pick" type="checkbox" name="value" value="{to.pk}" form="bulk"'
        f' aria-label="Select {to.name}" data-pick{chosen}>'
    )


def _folds(to: RowLinks) -> str:
    return (
        f'<a class="btn btn-sm btn-quiet btn-icon fold is-open" href="{to.rest}" hx-get="{to.part}"'
        f' hx-target="#value-{to.pk}" hx-swap="outerHTML" data-fold="close" aria-label="Fold {to.name}">'
        f"{icon('unfolded', 14)}</a>"
    )


def _unfolds(to: RowLinks, value: CaseValue) -> str:
    return (
        f'<a class="btn btn-sm btn-quiet btn-icon fold" href="{to.unfold}" hx-get="{to.part}?unfold={to.pk}"'
        f' hx-target="#value-{to.pk}" hx-swap="outerHTML" data-fold="open"'
        f' aria-label="Unfold {to.name}: {count(value.endpoints, "pair")}">{icon("fold", 14)}</a>'
    )


def _seen(row: Row, to: RowLinks, around: Around) -> str:
    value = row.value
    return (
        f'<span role="gridcell" class="c-subj subj"><a class="vlink" href="{to.page}" data-open>'
        f"{value_cut(value.value)}</a></span>"
        f'<span role="gridcell" class="c-tags tags">{_tags(row)}</span>'
        f'<span role="gridcell" class="c-spark">{around.days.drawn(value.strip, value.strip_to)}</span>'
        f'<span role="gridcell" class="c-seen">{around.clock.when(value.last_seen)}</span>'
    )


def _tags(row: Row) -> str:
    value = row.value
    found = signals_of(
        value.value,
        value.kind,
        is_new=row.is_new,
        decided=value.allowed + value.blocked,
        endpoints=value.endpoints,
    )
    found = sorted([*found, *row.marks], key=_rank)
    shown, rest = found[:AT_MOST], found[AT_MOST:]
    words = ", ".join(mark.words for mark in rest)
    more = f'<span class="tag" title="{escaped(visible(words))}">+{len(rest)}</span>' if rest else ""
    return "".join(_tag(mark) for mark in shown) + more


def _rank(mark: Mark) -> int:
    return mark.rank


def _tag(mark: Mark) -> str:
    title = f' title="{escaped(visible(mark.title))}"' if mark.title else ""
    shape = _shape(mark.glyph) if mark.glyph else ""
    return f'<span class="{mark.css}"{title}>{shape}{escaped(visible(mark.words))}</span>'


@cache
def _shape(word: str) -> str:
    return f'<span class="verdict is-{word}">{glyphs.glyph(word)}</span>'


def _numbers(row: Row) -> str:
    value = row.value
    unit = "device" if value.devices == 1 else "devices"
    cut = ' title="at least; the set was cut"' if value.devices_more else ""
    ports = " ".join(map(str, value.ports))
    first = " ".join(map(str, value.ports[:PORTS_SHOWN]))
    more_ports = " …" if len(value.ports) > PORTS_SHOWN or value.ports_more else ""
    files = escaped(visible(", ".join(row.file_names)))
    file = escaped(visible(row.file_names[0])) if row.file_names else ""
    more_files = f'<span class="sub">+{row.more_files}</span>' if row.more_files else ""
    return (
        f'<span role="gridcell" class="c-events num">{number(value.events)}</span>'
        f'<span role="gridcell" class="c-devices num" data-unit="{unit}"{cut}>'
        f"{at_least(value.devices, value.devices_more)}</span>"
        f'<span role="gridcell" class="c-ports clip" title="{ports}">{first}{more_ports}</span>'
        f'<span role="gridcell" class="c-files"><bdi class="mono clip" title="{files}">{file}</bdi>'
        f"{more_files}</span>"
    )


def _at_rest(row: Row) -> str:
    """What the verdict is, or what it waits for."""
    if row.unsettled:
        return (
            f'<span class="state is-running" title="{count(row.unsettled, "endpoint")} still to be settled;'
            f' the verdict may change">{glyphs.glyph("running")} settling</span>'
        )
    if row.proposal is not None and row.value.is_open:
        return _waits(row.proposal)
    who = row.decision.in_force_by.first_name if row.decision else ""
    return glyphs.with_glyph("verdict", row.value.verdict, who=who)


def _waits(proposal: Proposal) -> str:
    does = "block" if proposal.decision.verdict == "blocked" else "allow"
    what = "withdraw the decision on" if proposal.is_withdrawal else does
    return (
        f'<a class="waits" href="{reverse("proposal", args=[proposal.pk])}"'
        f' title="{escaped(proposal.proposer)} proposed to {what} this: {escaped(visible(proposal.reason))}">'
        f"{glyphs.with_glyph('verdict', 'proposed', who=proposal.proposer.first_name)}</a>"
    )


def _acts(row: Row, to: RowLinks, around: Around) -> str:
    css, words = "btn btn-sm btn-icon", ""
    if row.decision is None and row.own is None:
        css, words = "btn btn-sm", 'Allow <kbd aria-hidden="true">a</kbd>'
    allow = f'aria-label="Allow {to.name}" title="Allow (a)">{_shape("allowed")}{words}</a>'
    block = f'aria-label="Block {to.name}" title="Block (b)">{_shape("blocked")}</a>'
    wider = (
        f'aria-label="Wider subject or scope than {to.name}" title="Wider subject or scope (e)">'
        f"{icon('more')}</a>"
    )
    return (
        f'<span class="acts">{_undo(row, to, around)}'
        f" {_act(to, 'a', css, to.allow, 'allowed')} {allow}"
        f" {_act(to, 'b', 'btn btn-sm btn-icon', to.block, 'blocked')} {block}"
        f" {_act(to, 'e', 'btn btn-sm btn-quiet btn-icon', to.wider, 'blocked&amp;wider=1')} {wider}</span>"
    )


def _act(to: RowLinks, key: str, css: str, address: str, verdict: str) -> str:
    """The beginning of a link, up to what it is called."""
    return (
        f'<a class="{css}" href="{address}" hx-get="{to.part}?decide={to.pk}&amp;verdict_as={verdict}"'
        f' hx-target="#value-{to.pk}" hx-swap="outerHTML" data-act="{key}"'
    )


def _undo(row: Row, to: RowLinks, around: Around) -> str:
    if row.own is None:
        return ""
    address = reverse("case-undo", args=[row.value.case_id, row.own.pk])
    return (
        f'<form method="post" action="{address}" hx-post="{address}" hx-target="#toasts" hx-swap="innerHTML">'
        f'<input type="hidden" name="csrfmiddlewaretoken" value="{around.csrf_token}">'
        f'<input type="hidden" name="back" value="{around.query}">'
        f'<button class="btn btn-sm" data-undo aria-label="Undo the {row.own.verdict} of {to.name}">'
        'Undo <kbd aria-hidden="true">u</kbd></button></form>'
    )
