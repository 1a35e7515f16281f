"""A watchlist of Microsoft Sentinel, through Azure Resource Manager, item by item.

Items of ours carry the target's mark in a column of their own, and ids that follow from their key, so that
asking twice makes nothing twice. The first items go along when the watchlist is made; Sentinel gives those
ids of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from cases.watchlists.formats import ListEntry
from cases.watchlists.formats.exact import refusal
from cases.watchlists.formats.ids import stable_id
from cases.watchlists.formats.spelled import csv_row, free_text, moment
from cases.watchlists.targets.base import EntryId, Item, Outcome, Plan, Step, There, Wish
from cases.watchlists.targets.calling import Caller
from cases.watchlists.targets.errors import NotMade, NotOurs, Unfinished
from footprint.azure.errors import Rejected, Unavailable
from footprint.azure.replies import shown

SERVICE = "Sentinel"
ENDPOINT = "https://management.azure.com"
API_VERSION = "2025-09-01"
PROVIDER = "Footprint"
# Changes of items in a month, of all watchlists of a workspace together.
CHANGES_A_MONTH = 100_000
# More entries than that could not even be sent in a month.
MOST_ENTRIES = CHANGES_A_MONTH
MOST_BYTES_AT_ONCE = 3_800_000
_MOST_BYTES_OF_ROW = 10_240

COLUMNS = ("Value", "Kind", "Verdict", "Reason", "Case", "DecidedBy", "DecidedAt", "Expires", "Decision")
MARK = "ManagedBy"
_LONGEST_REASON = 1_000
_LONGEST_NAME_OF_PERSON = 200
# From here on a watchlist is made in its own time, and `source` is the name of a file.
_LONG_RUNNING_SINCE = "2025"
_UNDERWAY = {"new", "inprogress", "uploading", "deleting", "accepted", "running", "updating"}
_POLLS = 5
_LONGEST_WAIT_SECONDS = 5.0
_MOST_PAGES = 10_000
# Items that are refused alone, when the watchlist is made; then it is not one of them that spoils it.
_MOST_REJECTIONS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where the watchlist is. `mark` tells our items from those of others."""

    subscription: str
    resource_group: str
    workspace: str
    alias: str
    mark: str
    title: str
    about: str = ""
    api_version: str = API_VERSION

    @property
    def path(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.OperationalInsights/workspaces/{self.workspace}"
            f"/providers/Microsoft.SecurityInsights/watchlists/{self.alias}"
        )


class SentinelClient:
    def __init__(self, caller: Caller, place: Place, *, wait: Callable[[float], None] = time.sleep) -> None:
        self.caller = caller
        self.place = place
        self._wait = wait
        self._params = {"api-version": place.api_version}

    def wish_of(self, entry: ListEntry) -> Wish | str:
        if refused := refusal(entry):
            return refused.why
        cells = (
            entry.value,
            entry.kind,
            entry.verdict,
            free_text(entry.reason, _LONGEST_REASON),
            "" if entry.case is None else str(entry.case),
            free_text(entry.decided_by, _LONGEST_NAME_OF_PERSON),
            moment(entry.decided_at),
            "" if entry.expires_at is None else moment(entry.expires_at),
            str(entry.decision),
        )
        content = {**dict(zip(COLUMNS, cells, strict=True)), MARK: self.place.mark}
        if len(_row(content).encode()) > _MOST_BYTES_OF_ROW:
            return "longer than a row of Sentinel may be, 10 KB"
        which = EntryId(entry.kind, entry.value, entry.decision)
        return Wish(f"{entry.kind} {entry.value}", content, (which,))

    def id_of(self, key: str) -> str:
        return stable_id(f"{self.place.mark} {key}")

    def read(self, known: Mapping[str, str]) -> There:
        found = self.caller.call(
            "GET", self.place.path, params=self._params, fine=(HTTPStatus.OK, HTTPStatus.NOT_FOUND)
        )
        if found.status_code == HTTPStatus.NOT_FOUND:
            return There([], exists=False)
        self._check(self.caller.json_of(found))
        return There([self._item(raw, known) for raw in self._raw_items()])

    def _check(self, watchlist: Mapping[str, Any]) -> None:
        properties = watchlist.get("properties") or {}
        provider = str(properties.get("provider", ""))
        if provider != PROVIDER:
            made_by = (properties.get("createdBy") or {}).get("name") or provider or "somebody"
            raise NotOurs(
                f"Footprint did not make the watchlist {self.place.alias} that is there already. Nothing of"
                " it is touched; choose another alias.",
                said=shown(f"made by {made_by}"),
            )
        state = _state_of(properties)
        if state.lower() in _UNDERWAY:
            raise Unfinished("Sentinel still works on what it was given before.", said=state)

    def _raw_items(self) -> Iterator[Mapping[str, Any]]:
        path = f"{self.place.path}/watchlistItems"
        params: Mapping[str, str] | None = self._params
        for _ in range(_MOST_PAGES):
            body = self.caller.json_of(self.caller.call("GET", path, params=params))
            values = body.get("value")
            if not isinstance(values, list):
                raise Unavailable(f"{SERVICE} sent a list of items that cannot be read.")
            yield from (each for each in values if isinstance(each, Mapping))
            path = str(body.get("nextLink") or "")
            if not path:
                return
            # The address has all parameters in it.
            params = None
        raise Unavailable(f"{SERVICE} has no end of pages.")

    def _item(self, raw: Mapping[str, Any], known: Mapping[str, str]) -> Item:
        properties = raw.get("properties") or {}
        content = {str(name): _text(cell) for name, cell in (properties.get("itemsKeyValue") or {}).items()}
        item_id = str(raw.get("name") or properties.get("watchlistItemId") or "")
        own = f"{content.get('Kind', '')} {content.get('Value', '')}"
        if item_id == self.id_of(own):
            return Item(item_id, own, content)
        if item_id in known:
            return Item(item_id, known[item_id], content)
        if content.get(MARK) == self.place.mark:
            return Item(item_id, own, content)
        # Rows of others may say the same and stand in nobody's way.
        made_by = str((properties.get("createdBy") or {}).get("name") or "")
        return Item(item_id, "", content, is_ours=False, made_by=made_by)

    def steps(self, plan: Plan, there: There) -> Iterator[Step]:
        adds: Sequence[Wish] = plan.adds
        if not there.exists and adds:
            adds = yield from self._making(adds)
        for item in plan.removals:
            yield Step(partial(self._remove, item), cost=1, withdraws=True)
        for wish, item in plan.changes:
            yield Step(partial(self._put, wish, item.id), cost=1)
        for wish in adds:
            yield Step(partial(self._put, wish, self.id_of(wish.key)), cost=1)

    def _making(self, wishes: Sequence[Wish]) -> Generator[Step, None, Sequence[Wish]]:
        """Makes the watchlist with its first items; the rest is left for one request each.

        One item that Sentinel does not take spoils them all, without a word about which: halves of them,
        until they are taken or one that is alone is not.
        """
        set_aside: list[Wish] = []
        left = wishes
        while len(set_aside) < _MOST_REJECTIONS and left:
            first = self._fitting(left)
            while first:
                sent = _Making(partial(self._make, first))
                yield Step(sent, cost=len(first))
                if sent.error is None:
                    return [*left[len(first) :], *set_aside]
                error = sent.error
                first = first[: len(first) // 2]
            set_aside.append(left[0])
            left = left[1:]
        raise error  # the loop ran at least once

    def remove_all(self, there: There) -> Iterator[Step]:
        if not there.exists:
            return
        if not there.others:
            yield Step(partial(self._remove_watchlist, there), cost=there.ours, withdraws=True)
            return
        for item in there.items:
            if item.is_ours:
                yield Step(partial(self._remove, item), cost=1, withdraws=True)

    def _fitting(self, wishes: Sequence[Wish]) -> Sequence[Wish]:
        left = MOST_BYTES_AT_ONCE - len(_HEADING.encode())
        for position, wish in enumerate(wishes):
            left -= len(_row(wish.content).encode())
            if left < 0:
                return wishes[:position]
        return wishes

    def _make(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """With its first items, whose ids are seen when it is read."""
        text = _HEADING + "".join(_row(wish.content) for wish in wishes)
        body = {"properties": self._described() | {"rawContent": text}}
        done = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED)
        try:
            made = self.caller.call("PUT", self.place.path, params=self._params, json=body, fine=done)
        except Rejected as error:
            raise NotMade(str(error), said=error.said) from error
        self._follow(made)
        return [Outcome(wish.key, True) for wish in wishes]

    def _described(self) -> dict[str, Any]:
        place = self.place
        described = {
            "displayName": place.title,
            "provider": PROVIDER,
            "description": place.about or "Kept by Footprint; changes by hand are taken back.",
            "itemsSearchKey": "Value",
            "contentType": "text/csv",
            "numberOfLinesToSkip": 0,
        }
        if place.api_version >= _LONG_RUNNING_SINCE:
            return described | {"sourceType": "Local", "source": "footprint.csv"}
        return described | {"source": "Local file"}

    def _follow(self, response: Any) -> None:
        """Looks a few times whether it is done; longer than that is for the next reconciliation."""
        address = response.headers.get("Azure-AsyncOperation") or response.headers.get("Location")
        if response.status_code == HTTPStatus.ACCEPTED and not address:
            raise Unfinished(f"{SERVICE} took it and does not say where to look.")
        if not address:
            return
        state = ""
        for _ in range(_POLLS):
            self._wait(_pause(response))
            done = (HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT)
            response = self.caller.call("GET", address, fine=done)
            if response.status_code == HTTPStatus.NO_CONTENT:
                return
            body = self.caller.json_of(response) if response.content else {}
            state = str(body.get("status") or _state_of(body.get("properties") or {}))
            if response.status_code == HTTPStatus.OK and state.lower() not in _UNDERWAY:
                _check_outcome(state, body)
                return
        raise Unfinished(f"{SERVICE} still works on it.", said=state)

    def _put(self, wish: Wish, item_id: str) -> Sequence[Outcome]:
        body = {"properties": {"itemsKeyValue": dict(wish.content)}}
        path = f"{self.place.path}/watchlistItems/{item_id}"
        done = (HTTPStatus.OK, HTTPStatus.CREATED)
        try:
            self.caller.call("PUT", path, params=self._params, json=body, fine=done)
        except Rejected as error:
            return [Outcome(wish.key, False, error.said or str(error))]
        return [Outcome(wish.key, True, id=item_id)]

    def _remove(self, item: Item) -> Sequence[Outcome]:
        path = f"{self.place.path}/watchlistItems/{item.id}"
        gone = (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
        try:
            self.caller.call("DELETE", path, params=self._params, fine=gone)
        except Rejected as error:
            return [Outcome(item.key, False, error.said or str(error), item.id)]
        return [Outcome(item.key, True, id=item.id)]

    def _remove_watchlist(self, there: There) -> Sequence[Outcome]:
        gone = (HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
        response = self.caller.call("DELETE", self.place.path, params=self._params, fine=gone)
        if response.status_code == HTTPStatus.ACCEPTED:
            self._follow(response)
        return [Outcome(item.key, True, id=item.id) for item in there.items]


@dataclass
class _Making:
    """A first upload, which may be refused as a whole. What goes wrong with one that was taken is raised."""

    send: Callable[[], Sequence[Outcome]]
    error: Rejected | None = field(default=None, init=False)

    def __call__(self) -> Sequence[Outcome]:
        try:
            return self.send()
        except NotMade as error:
            self.error = error
            return []


def _row(content: Mapping[str, str]) -> str:
    return csv_row(*(content[name] for name in (*COLUMNS, MARK)))


_HEADING = csv_row(*COLUMNS, MARK)


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _state_of(properties: Mapping[str, Any]) -> str:
    return str(properties.get("provisioningState") or properties.get("uploadStatus") or "")


def _check_outcome(state: str, body: Mapping[str, Any]) -> None:
    if state.lower() in {"failed", "canceled", "cancelled"}:
        error = body.get("error") or {}
        said = error.get("message") if isinstance(error, Mapping) else str(error)
        raise Rejected(f"{SERVICE} did not carry it out.", said=shown(str(said or state)))


def _pause(response: Any) -> float:
    text = str(response.headers.get("Retry-After", ""))
    return min(float(text), _LONGEST_WAIT_SECONDS) if text.isascii() and text.isdigit() else 1.0
