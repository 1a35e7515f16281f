"""Custom indicators of Defender for Endpoint, in batches.

The whole tenant shares 15,000 of them. An import that names what somebody else made would overwrite it, so
such entries are left to others. Indicators of ours have the target's mark in their title.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from cases.watchlists.formats import ListEntry
from cases.watchlists.formats.indicators import Indicator, indicator_of
from cases.watchlists.formats.spelled import free_text, moment
from cases.watchlists.targets.base import EntryId, Item, Outcome, Plan, Step, There, Wish
from cases.watchlists.targets.calling import Caller
from footprint.azure.errors import Rejected, Unavailable

SERVICE = "Defender"
ENDPOINT = "https://api.security.microsoft.com"
AUDIENCE = "https://api.securitycenter.microsoft.com"
MOST_INDICATORS = 15_000
# All of a list beyond this can never be there.
MOST_ENTRIES = 2 * MOST_INDICATORS
AT_ONCE = 500
PAGE = 10_000
_MOST_PAGES = 100
# With nothing taken in between; then it is not one indicator that spoils them.
_MOST_REJECTIONS = 20
_LONGEST_TEXT = 500
_ALLOWS_OFF = "an allow: this target takes blocks only"


class DefenderClient:
    def __init__(self, caller: Caller, mark: str, *, takes_allows: bool = False) -> None:
        self.caller = caller
        self.mark = mark
        self.takes_allows = takes_allows

    def wish_of(self, entry: ListEntry) -> Wish | str:
        blocks = entry.verdict == "blocked"
        if not blocks and not self.takes_allows:
            return _ALLOWS_OFF
        said = indicator_of(entry)
        if not isinstance(said, Indicator):
            return said.why
        content = {
            "indicatorValue": said.value,
            "indicatorType": said.type,
            "action": "Block" if blocks else "Allowed",
            "title": f"Footprint decision {entry.decision} ({self.mark})",
            "description": free_text(entry.reason, _LONGEST_TEXT) or "No reason was given.",
            "severity": "Medium" if blocks else "Informational",
            "expirationTime": "" if entry.expires_at is None else moment(entry.expires_at),
        }
        which = EntryId(entry.kind, entry.value, entry.decision)
        return Wish(_key(said.type, said.value), content, (which,), said.why)

    def read(self, known: Mapping[str, str]) -> There:
        """An indicator of ours whose title was edited is known by its id: or it would stay for ever."""
        found = {str(raw.get("id", "")): raw for raw in self._raw_indicators()}
        items = [self._item(raw, known) for raw in found.values()]
        return There(items, places=MOST_INDICATORS - len(items))

    def _raw_indicators(self) -> Iterator[Mapping[str, Any]]:
        skip = 0
        for _ in range(_MOST_PAGES):
            params = {"$top": str(PAGE), "$skip": str(skip)}
            body = self.caller.json_of(self.caller.call("GET", "/api/indicators", params=params))
            values = body.get("value")
            if not isinstance(values, list):
                raise Unavailable(f"{SERVICE} sent a list of indicators that cannot be read.")
            if not values:
                return
            yield from (each for each in values if isinstance(each, Mapping))
            # A page may have fewer than were asked for, so the end is where none come.
            skip += len(values)
        raise Unavailable(f"{SERVICE} has no end of pages.")

    def _item(self, raw: Mapping[str, Any], known: Mapping[str, str]) -> Item:
        content = {name: _text(raw.get(name)) for name in ("action", "title", "description", "severity")} | {
            "indicatorValue": _text(raw.get("indicatorValue")).lower(),
            "indicatorType": _text(raw.get("indicatorType")),
            "expirationTime": _moment(_text(raw.get("expirationTime"))),
        }
        key = _key(content["indicatorType"], content["indicatorValue"])
        # An id that now says another value is not the one that we made.
        is_ours = f"({self.mark})" in content["title"] or known.get(_text(raw.get("id"))) == key
        made_by = "" if is_ours else _text(raw.get("createdBy")) or content["title"]
        return Item(_text(raw.get("id")), key, content, is_ours=is_ours, made_by=made_by)

    def steps(self, plan: Plan, there: There) -> Iterator[Step]:
        yield from self._removing(plan.removals)
        wishes = [*(wish for wish, _ in plan.changes), *plan.adds]
        waiting = _batches(wishes)
        rejections = 0
        while waiting:
            batch = waiting.pop(0)
            sent = _Sent(partial(self._import, batch))
            yield Step(sent, cost=len(batch))
            rejections = 0 if sent.took_any else rejections + 1
            if rejections > _MOST_REJECTIONS:
                raise Rejected(f"{SERVICE} takes none of these.", said=sent.said)
            if sent.rejected:
                # One of them spoils the batch: halves of it until that one is alone.
                middle = len(batch) // 2
                waiting[:0] = [batch[:middle], batch[middle:]]

    def remove_all(self, there: There) -> Iterator[Step]:
        yield from self._removing([item for item in there.items if item.is_ours])

    def _removing(self, items: Sequence[Item]) -> Iterator[Step]:
        for some in _batches(items):
            sent = _Sent(partial(self._remove_batch, some))
            yield Step(sent, cost=len(some), withdraws=True)
            if sent.rejected:
                # One that is gone already makes the whole batch fail.
                for item in some:
                    yield Step(partial(self._remove, item), cost=1, withdraws=True)

    def _import(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        body = {"Indicators": [_body(wish) for wish in wishes]}
        try:
            answer = self.caller.json_of(self.caller.call("POST", "/api/indicators/import", json=body))
        except Rejected as error:
            if len(wishes) > 1:
                raise
            return [Outcome(wishes[0].key, False, error.said or str(error))]
        values = answer.get("value")
        if not isinstance(values, list):
            raise Unavailable(f"{SERVICE} did not say what became of the indicators.")
        told = {_text(each.get("indicator")).lower(): each for each in values if isinstance(each, Mapping)}
        return [_outcome(wish, told.get(wish.content["indicatorValue"].lower())) for wish in wishes]

    def _remove_batch(self, items: Sequence[Item]) -> Sequence[Outcome]:
        body = {"IndicatorIds": [item.id for item in items]}
        gone = (HTTPStatus.OK, HTTPStatus.NO_CONTENT)
        response = self.caller.call(
            "POST", "/api/indicators/BatchDelete", json=body, fine=(*gone, HTTPStatus.NOT_FOUND)
        )
        if response.status_code not in gone:
            raise Rejected(f"{SERVICE} does not know all of these.")
        return [Outcome(item.key, True, id=item.id) for item in items]

    def _remove(self, item: Item) -> Sequence[Outcome]:
        gone = (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
        try:
            self.caller.call("DELETE", f"/api/indicators/{item.id}", fine=gone)
        except Rejected as error:
            return [Outcome(item.key, False, error.said or str(error), item.id)]
        return [Outcome(item.key, True, id=item.id)]


@dataclass
class _Sent:
    """A batch that may be refused as a whole, without a word about the others in it."""

    send: Callable[[], Sequence[Outcome]]
    rejected: bool = field(default=False, init=False)
    took_any: bool = field(default=False, init=False)
    said: str = field(default="", init=False)

    def __call__(self) -> Sequence[Outcome]:
        try:
            outcomes = self.send()
        except Rejected as error:
            self.rejected, self.said = True, error.said
            return []
        self.took_any = any(outcome.is_done for outcome in outcomes)
        return outcomes


_Thing = TypeVar("_Thing")


def _batches(things: Sequence[_Thing]) -> list[Sequence[_Thing]]:
    return [things[start : start + AT_ONCE] for start in range(0, len(things), AT_ONCE)]


def _outcome(wish: Wish, told: Mapping[str, Any] | None) -> Outcome:
    if told is None:
        return Outcome(wish.key, False, f"{SERVICE} did not say what became of it.")
    if told.get("isFailed"):
        return Outcome(wish.key, False, _text(told.get("failureReason")) or "refused without a reason")
    return Outcome(wish.key, True, wish.words, _text(told.get("id")))


def _body(wish: Wish) -> dict[str, Any]:
    body: dict[str, Any] = dict(wish.content)
    if not body["expirationTime"]:
        # Without one it never ends; null takes away one that is there.
        body["expirationTime"] = None
    return body | {"generateAlert": False}


def _key(kind: str, value: str) -> str:
    return f"{kind} {value.lower()}"


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _moment(text: str) -> str:
    """In whole seconds, as we write it."""
    return f"{text[:19]}Z" if text else ""
