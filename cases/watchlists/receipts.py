"""Writing receipts, set-based: what is planned for each entry, and what the service said."""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection

from cases.clock import database_now
from cases.watchlists.beyond import LEFT_OUT, Beyond, note_beyond
from cases.watchlists.models import Receipt, Target
from cases.watchlists.targets.base import EntryId, Item, Outcome, Plan, Wish

ACCEPTED, PENDING, REFUSED = Receipt.State.ACCEPTED, Receipt.State.PENDING, Receipt.State.REFUSED
DRIFTED, WITHDRAWN = Receipt.State.DRIFTED, Receipt.State.WITHDRAWN
# What the service refused is not sent again for so long, unless it says something else by then.
REFUSED_FOR = timedelta(hours=24)
_DIFFERENCES_TOLD = 3
SENT = "sent, and not seen there yet"
_LEAVING = "left the list, to be withdrawn"


class _Line(NamedTuple):
    kind: str
    value: str
    decision: int
    key: str
    state: str
    words: str = ""
    remote_id: str = ""
    content: str = ""
    drift: str = ""


class Known(NamedTuple):
    """What earlier receipts say, by the service's key and by its id."""

    keys: Mapping[str, str]
    # What was sent and taken, whether or not it was seen there since.
    counted: Mapping[str, str]
    accepted: Mapping[str, str]
    unwilling: Mapping[tuple[str, str], str]


def known_of(target: Target) -> Known:
    # Without a key are those that were never sent, however many.
    rows = Receipt.objects.filter(target=target).exclude(state=WITHDRAWN).exclude(key="")
    found = list(rows.values_list("key", "remote_id", "content", "state", "words", "since"))
    fresh = database_now() - REFUSED_FOR
    return Known(
        {remote_id: key for key, remote_id, *_ in found if remote_id},
        {key: content for key, _, content, state, *_ in found if content and state in (ACCEPTED, PENDING)},
        {key: content for key, _, content, state, *_ in found if state == ACCEPTED},
        {
            (key, content): words
            for key, _, content, state, words, since in found
            if state == REFUSED and content and since > fresh
        },
    )


def drift_of(plan: Plan, known: Known) -> dict[str, str]:
    """What was edited by hand, by key: it was accepted as it is wished, and is not there like that."""
    found = {wish.key: "removed by hand" for wish in plan.adds if known.accepted.get(wish.key) == wish.digest}
    for wish, item in plan.changes:
        if known.accepted.get(wish.key) == wish.digest:
            found[wish.key] = _difference(wish, item)
    return found


def _difference(wish: Wish, item: Item) -> str:
    names = [name for name, cell in wish.content.items() if item.content.get(name, "") != cell]
    told = [f"{name} is “{item.content.get(name, '')[:60]}”" for name in names[:_DIFFERENCES_TOLD]]
    return f"changed by hand: {', '.join(told)}"


def note_plan(target: Target, plan: Plan, drift: Mapping[str, str], beyond: Beyond | None) -> None:
    """One receipt for every entry of the list, and the end of those that left it with nothing there."""
    lines = [
        *_lines(((wish, wish.words) for wish in plan.adds), PENDING, drift),
        *_lines(((wish, wish.words) for wish, _ in plan.changes), PENDING, drift),
        *_lines(plan.waiting, PENDING, {}),
        *(_accepted(wish, item, entry) for wish, item in plan.kept for entry in wish.entries),
        *(_Line(*refusal.entry, "", REFUSED, refusal.why) for refusal in plan.refused),
    ]
    wished = {line.key for line in lines}
    there = {item.key for item in plan.removals} | {item.key for item, _ in plan.staying}
    leaving = sorted(there - wished)
    if beyond is not None:
        note_beyond(target, beyond, leaving)
    _upsert(target, lines)
    _end_the_others(target, lines, leaving, plan.staying[0][1] if plan.staying else _LEAVING, beyond)


def _lines(
    wishes: Iterable[tuple[Wish, str]], state: Receipt.State, drift: Mapping[str, str]
) -> Iterable[_Line]:
    for wish, words in wishes:
        told = drift.get(wish.key, "")
        for entry in wish.entries:
            yield _Line(*entry, wish.key, DRIFTED if told else state, told or words, drift=told)


def _accepted(wish: Wish, item: Item, entry: EntryId) -> _Line:
    return _Line(*entry, wish.key, ACCEPTED, wish.words, item.id, wish.digest)


_COLUMNS = "kind, value, decision_number, key, state, words, remote_id, content, drift"
_UPSERT = f"""
    INSERT INTO watchlists_receipt AS r (target_id, {_COLUMNS}, since, accepted_at, drifted_at)
    SELECT %s, {_COLUMNS}, clock_timestamp(),
           CASE WHEN state = 'accepted' THEN clock_timestamp() END,
           CASE WHEN drift <> '' THEN clock_timestamp() END
      FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
                  %s::text[], %s::text[]) AS w ({_COLUMNS})
    ON CONFLICT (target_id, kind, value) DO UPDATE SET
           decision_number = excluded.decision_number,
           -- A refusal that was known beforehand says nothing of what is there.
           key = coalesce(nullif(excluded.key, ''), r.key),
           state = excluded.state,
           words = excluded.words,
           since = CASE WHEN r.state = excluded.state AND r.decision_number = excluded.decision_number
                        THEN r.since ELSE excluded.since END,
           accepted_at = CASE WHEN excluded.state <> 'accepted'
                              THEN CASE WHEN r.state <> 'withdrawn' THEN r.accepted_at END
                              WHEN r.state = 'withdrawn' OR r.decision_number <> excluded.decision_number
                                   OR r.words = '{SENT}'
                              THEN excluded.accepted_at
                              ELSE coalesce(r.accepted_at, excluded.accepted_at) END,
           remote_id = coalesce(nullif(excluded.remote_id, ''), r.remote_id),
           content = CASE WHEN excluded.state = 'accepted' THEN excluded.content ELSE r.content END,
           drift = coalesce(nullif(excluded.drift, ''), r.drift),
           drifted_at = coalesce(excluded.drifted_at, r.drifted_at)
     WHERE (r.decision_number, r.state, r.words) <> (excluded.decision_number, excluded.state, excluded.words)
        OR (excluded.key <> '' AND r.key <> excluded.key) OR excluded.drift <> ''
        OR (excluded.state = 'accepted'
            AND (r.content, r.remote_id) <> (excluded.content, excluded.remote_id))
"""


def _upsert(target: Target, lines: Sequence[_Line]) -> None:
    if lines:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [target.pk, *(list(column) for column in zip(*lines, strict=True))])


_END = """
    UPDATE watchlists_receipt r
       SET state = CASE WHEN r.key = ANY(%(there)s) THEN r.state ELSE 'withdrawn' END,
           words = CASE WHEN r.key = ANY(%(there)s) THEN %(words)s ELSE '' END,
           since = CASE WHEN r.key = ANY(%(there)s) THEN r.since ELSE clock_timestamp() END,
           -- What was sent and never seen until now.
           accepted_at = CASE WHEN r.key = ANY(%(there)s) THEN coalesce(r.accepted_at, clock_timestamp())
                              ELSE r.accepted_at END
     WHERE r.target_id = %(target)s AND r.state <> 'withdrawn'
       AND NOT EXISTS (SELECT FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS w (kind, value)
                        WHERE w.kind = r.kind AND w.value = r.value)
"""
_NOT_BEYOND = f"""
    AND (r.key = ANY(%(there)s)
         OR NOT EXISTS (SELECT FROM {LEFT_OUT} AND e.kind = r.kind AND e.value = r.value))
"""


def _end_the_others(
    target: Target, lines: Sequence[_Line], leaving: Sequence[str], words: str, beyond: Beyond | None
) -> None:
    """Of entries that are not listed any more. What is still there stays as it was until it is gone."""
    asked: dict[str, Any] = {
        "target": target.pk,
        "there": leaving,
        "words": words,
        "kinds": [line.kind for line in lines],
        "values": [line.value for line in lines],
        **(beyond.asked if beyond else {}),
    }
    with connection.cursor() as cursor:
        cursor.execute(_END + _NOT_BEYOND if beyond else _END, asked)


_OUTCOMES = """
    UPDATE watchlists_receipt r
       SET state = o.state, words = o.words,
           since = CASE WHEN r.state = o.state THEN r.since ELSE clock_timestamp() END,
           remote_id = coalesce(nullif(o.remote_id, ''), r.remote_id),
           content = coalesce(nullif(o.content, ''), r.content)
      FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
           AS o (key, state, words, remote_id, content)
     WHERE r.target_id = %s AND r.key = o.key AND r.state <> 'withdrawn'
"""


def note_outcomes(target: Target, outcomes: Sequence[Outcome], wishes: Mapping[str, Wish]) -> None:
    """Of what was sent; only what is seen there afterwards is accepted. The key of an item that was removed
    is none of a wish."""
    lines = [
        (
            each.key,
            PENDING if each.is_done else REFUSED,
            SENT if each.is_done else each.words,
            each.id,
            wishes[each.key].digest,
        )
        for each in outcomes
        if each.key in wishes
    ]
    _take_outcomes(target, lines)


def note_withdrawn(target: Target, outcomes: Sequence[Outcome], wished: Collection[str]) -> None:
    """A second item of something wished may have been removed; that withdraws nothing."""
    lines = [(each.key, WITHDRAWN, "", "", "") for each in outcomes if each.key not in wished]
    _take_outcomes(target, lines)


def _take_outcomes(target: Target, lines: Sequence[tuple[str, ...]]) -> None:
    if lines:
        with connection.cursor() as cursor:
            cursor.execute(_OUTCOMES, [*(list(column) for column in zip(*lines, strict=True)), target.pk])
