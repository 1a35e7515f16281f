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
from cases.watchlists.querysets import MAY_COME
from cases.watchlists.targets.base import EntryId, Item, Outcome, Plan, Refusal, Wish
from cases.watchlists.targets.plan import SENT, STILL_LISTED

ACCEPTED, PENDING, REFUSED = Receipt.State.ACCEPTED, Receipt.State.PENDING, Receipt.State.REFUSED
DRIFTED, WITHDRAWN = Receipt.State.DRIFTED, Receipt.State.WITHDRAWN
# What the service refused is not sent again for so long, unless it says something else by then.
REFUSED_FOR = timedelta(hours=24)
_DIFFERENCES_TOLD = 3
_LEAVING = "left the list, to be withdrawn"
MAY_COME_WORDS = "left the list while it was being sent; it may come yet"
_NOT_TAKEN_AWAY = "cannot be withdrawn: {}"
# What was taken away and is listed all the same is not asked for again before this.
_LINGERS_FOR = timedelta(hours=1)
_KEPT_OTHERWISE = "kept otherwise there: "


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
    # What was taken as it was sent and not seen there like that: lately, and so long ago that it will not be.
    awaited: Mapping[str, str]
    unseen: Mapping[str, str]
    lingering: Collection[str]


def known_of(target: Target) -> Known:
    # Without a key are those that were never sent, however many.
    rows = Receipt.objects.filter(target=target).exclude(state=WITHDRAWN).exclude(key="")
    found = list(
        rows.values_list("key", "remote_id", "content", "state", "words", "since", "tried_at", "sent_at")
    )
    now = database_now()
    fresh = now - REFUSED_FOR
    # Whoever tried again and could not say what came of it has not sent it.
    sent = [
        (key, content, sent_at)
        for key, _, content, state, _, _, tried_at, sent_at in found
        if state == PENDING and content and sent_at is not None and (tried_at is None or tried_at <= sent_at)
    ]
    return Known(
        {remote_id: key for key, remote_id, *_ in found if remote_id},
        {key: content for key, _, content, state, *_ in found if content and state in (ACCEPTED, PENDING)},
        {key: content for key, _, content, state, *_ in found if state == ACCEPTED},
        {
            (key, content): words
            for key, _, content, state, words, since, *_ in found
            if state == REFUSED and content and since > fresh
        },
        {key: content for key, content, sent_at in sent if sent_at > now - MAY_COME},
        {key: content for key, content, sent_at in sent if sent_at <= now - MAY_COME},
        {
            key
            for key, _, _, _, words, _, tried_at, _ in found
            if words == STILL_LISTED and tried_at is not None and tried_at > now - _LINGERS_FOR
        },
    )


def drift_of(plan: Plan, known: Known) -> dict[str, str]:
    """What was edited by hand, by key: it was accepted as it is wished, and is not there like that."""
    found = {wish.key: "removed by hand" for wish in plan.adds if known.accepted.get(wish.key) == wish.digest}
    for wish, item in plan.changes:
        if known.accepted.get(wish.key) == wish.digest:
            found[wish.key] = _difference(wish, item)
    return found


def is_kept_otherwise(refusal: Refusal) -> bool:
    return refusal.why.startswith(_KEPT_OTHERWISE)


def kept_otherwise(plan: Plan, known: Known) -> dict[str, str]:
    """What the service took and keeps in its own way, by key. To send it again and again would use up the
    month's changes and alter nothing."""
    return {
        wish.key: f"{_KEPT_OTHERWISE}{_differing(wish, item)}"
        for wish, item in plan.changes
        if known.unseen.get(wish.key) == wish.digest
    }


def _difference(wish: Wish, item: Item) -> str:
    return f"changed by hand: {_differing(wish, item)}"


def _differing(wish: Wish, item: Item) -> str:
    names = [name for name, cell in wish.content.items() if item.content.get(name, "") != cell]
    told = [f"{name} is “{item.content.get(name, '')[:60]}”" for name in names[:_DIFFERENCES_TOLD]]
    return ", ".join(told)


def note_plan(
    target: Target,
    plan: Plan,
    drift: Mapping[str, str],
    beyond: Beyond | None,
    taken_away: Mapping[str, str] | None = None,
) -> None:
    """One receipt for every entry of the list, and the end of those that left it with nothing there.

    `taken_away`: keys of what was to be removed in this look, and why that was refused, if it was.
    """
    lines = [
        *_lines(((wish, wish.words) for wish in plan.adds), PENDING, drift),
        *_lines(((wish, wish.words) for wish, _ in plan.changes), PENDING, drift),
        *_lines(plan.waiting, PENDING, {}),
        *(_accepted(wish, item, entry) for wish, item in plan.kept for entry in wish.entries),
        *(_Line(*refusal.entry, "", REFUSED, refusal.why) for refusal in plan.refused),
    ]
    wished = {line.key for line in lines}
    leaving = _leaving(plan, wished, taken_away or {})
    if beyond is not None:
        note_beyond(target, beyond, sorted(leaving))
    _upsert(target, lines)
    _end_the_others(target, lines, leaving, beyond)


def _leaving(plan: Plan, wished: Collection[str], taken_away: Mapping[str, str]) -> dict[str, str]:
    """What is there and not wished, by key, with the words for it."""
    told = {item.key: _LEAVING for item in plan.removals} | {item.key: words for item, words in plan.staying}
    for key, refusal in taken_away.items():
        if key in told:
            told[key] = _NOT_TAKEN_AWAY.format(refusal) if refusal else STILL_LISTED
    return {key: words for key, words in told.items() if key not in wished}


def note_tries(target: Target, plan: Plan) -> list[int]:
    """Before anything is sent: whoever is stopped in the middle of it leaves word of what may be there.

    Returns the receipts of what was never tried before, for `forget_tries`.
    """
    keys = {wish.key for wish in plan.adds} | {wish.key for wish, _ in plan.changes}
    keys |= {item.key for item in plan.removals}
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [target.pk, sorted(keys)])
        return [pk for pk, is_first in cursor.fetchall() if is_first]


def forget_tries(tried_first: Sequence[int]) -> None:
    """Of a look in which nothing reached the service, or it refused the very first request."""
    Receipt.objects.filter(pk__in=tried_first, sent_at__isnull=True).update(tried_at=None)


_TRY = """
    UPDATE watchlists_receipt r SET tried_at = clock_timestamp()
      FROM (SELECT id, tried_at IS NULL AS is_first FROM watchlists_receipt
             WHERE target_id = %s AND key = ANY(%s) AND state <> 'withdrawn') o
     WHERE o.id = r.id
    RETURNING r.id, o.is_first
"""


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
                              -- The moment belongs to the decision that was accepted.
                              THEN CASE WHEN r.state <> 'withdrawn'
                                             AND r.decision_number = excluded.decision_number
                                        THEN r.accepted_at END
                              WHEN r.state = 'withdrawn' OR r.decision_number <> excluded.decision_number
                                   OR r.words = '{SENT}'
                              THEN excluded.accepted_at
                              ELSE coalesce(r.accepted_at, excluded.accepted_at) END,
           -- Once it was seen there, an edit of it is an edit by hand.
           sent_at = CASE WHEN excluded.state <> 'accepted' THEN r.sent_at END,
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


_END = f"""
    UPDATE watchlists_receipt r
       SET state = CASE WHEN o.is_there OR o.may_come THEN r.state ELSE 'withdrawn' END,
           words = CASE WHEN o.is_there THEN o.said WHEN o.may_come THEN '{MAY_COME_WORDS}' ELSE '' END,
           since = CASE WHEN o.is_there OR o.may_come THEN r.since ELSE clock_timestamp() END,
           -- What was sent and never seen until now.
           accepted_at = CASE WHEN o.is_there THEN coalesce(r.accepted_at, clock_timestamp())
                              ELSE r.accepted_at END
      FROM (SELECT r.id, l.key IS NOT NULL AS is_there, l.said,
                   coalesce(r.state IN ('pending', 'drifted')
                                AND greatest(r.tried_at, r.sent_at) > %(long_ago)s, false)
                       AS may_come
              FROM watchlists_receipt r
              LEFT JOIN unnest(%(there)s::text[], %(said)s::text[]) AS l (key, said) ON l.key = r.key
             WHERE r.target_id = %(target)s) o
     WHERE o.id = r.id AND r.state <> 'withdrawn'
       AND NOT EXISTS (SELECT FROM unnest(%(kinds)s::text[], %(values)s::text[]) AS w (kind, value)
                        WHERE w.kind = r.kind AND w.value = r.value)
"""
# Withdrawn as the service said, and seen there all the same: the newest receipt of it tells so.
_BACK = """
    UPDATE watchlists_receipt r
       SET state = 'accepted', words = b.said, since = clock_timestamp(),
           accepted_at = coalesce(r.accepted_at, clock_timestamp())
      FROM (SELECT DISTINCT ON (o.key) o.id, o.state, l.said
              FROM unnest(%(there)s::text[], %(said)s::text[]) AS l (key, said)
              JOIN watchlists_receipt o ON o.target_id = %(target)s AND o.key = l.key
             ORDER BY o.key, o.state = 'withdrawn', o.since DESC) b
     WHERE b.id = r.id AND b.state = 'withdrawn'
"""
_NOT_BEYOND = f"""
    AND (r.key = ANY(%(there)s)
         OR NOT EXISTS (SELECT FROM {LEFT_OUT} AND e.kind = r.kind AND e.value = r.value))
"""


def _end_the_others(
    target: Target, lines: Sequence[_Line], leaving: Mapping[str, str], beyond: Beyond | None
) -> None:
    """Of entries that are not listed any more. What is still there stays as it was until it is gone."""
    asked: dict[str, Any] = {
        "target": target.pk,
        "there": list(leaving),
        "said": list(leaving.values()),
        "long_ago": database_now() - MAY_COME,
        "kinds": [line.kind for line in lines],
        "values": [line.value for line in lines],
        **(beyond.asked if beyond else {}),
    }
    with connection.cursor() as cursor:
        cursor.execute(_END + _NOT_BEYOND if beyond else _END, asked)
        cursor.execute(_BACK, asked)


_OUTCOMES = """
    UPDATE watchlists_receipt r
       SET state = o.state, words = o.words,
           since = CASE WHEN r.state = o.state THEN r.since ELSE clock_timestamp() END,
           remote_id = coalesce(nullif(o.remote_id, ''), r.remote_id),
           content = coalesce(nullif(o.content, ''), r.content),
           sent_at = CASE WHEN o.words = %s THEN clock_timestamp() ELSE r.sent_at END
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
    lines = [
        (each.key, WITHDRAWN, "", "", "")
        if each.is_done
        else (each.key, ACCEPTED, _NOT_TAKEN_AWAY.format(each.words), "", "")
        for each in outcomes
        if each.key not in wished
    ]
    _take_outcomes(target, lines)


def _take_outcomes(target: Target, lines: Sequence[tuple[str, ...]]) -> None:
    if lines:
        with connection.cursor() as cursor:
            columns = [list(column) for column in zip(*lines, strict=True)]
            cursor.execute(_OUTCOMES, [SENT, *columns, target.pk])
