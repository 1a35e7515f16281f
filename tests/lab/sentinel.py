"""`…/providers/Microsoft.SecurityInsights/watchlists/{alias}` of Azure Resource Manager, with its items."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

from tests.lab.arm import Arm, refuse
from tests.lab.wire import Reply, Request, reply_json

PATH = re.compile(
    r"/providers/Microsoft\.SecurityInsights/(?:watchlists/(?P<alias>[^/]+)"
    r"(?P<items>/watchlistItems)?(?:/(?P<item>[^/]+))?|operations/(?P<operation>[^/]+))\Z"
)
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{1,62}[A-Za-z0-9]")
_OURS = {"objectId": str(UUID(int=7)), "email": "", "name": "footprint-app"}
MOST_BYTES = 3_800_000
_MOST_BYTES_OF_ROW = 10_240
_LONG_RUNNING_SINCE = "2025"


@dataclass
class Item:
    content: dict[str, str]
    created_by: Mapping[str, str] = field(default_factory=lambda: dict(_OURS))


@dataclass
class Watchlist:
    properties: dict[str, Any]
    items: dict[str, Item] = field(default_factory=dict)
    # What an upload will bring once it is done.
    coming: list[dict[str, str]] = field(default_factory=list)
    polls_left: int = 0
    goes: bool = False

    @property
    def state(self) -> str:
        return ("Deleting" if self.goes else "InProgress") if self.polls_left else "Succeeded"

    def finish(self) -> None:
        self.polls_left = 0
        for content in self.coming:
            self.items[str(uuid4())] = Item(content)
        self.coming.clear()


@dataclass
class Sentinel(Arm):
    """`polls`: how often an upload or a deletion is asked after before it is done."""

    page_size: int = 100
    polls: int = 1
    refused_aliases: set[str] = field(default_factory=set)
    # Values that no item may have.
    refused_values: set[str] = field(default_factory=set)
    watchlists: dict[str, Watchlist] = field(default_factory=dict)
    # Items made, changed and removed through the service.
    changes: int = 0

    def answer(self, request: Request, now: datetime) -> Reply:
        found = PATH.search(request.path)
        assert found is not None
        version = request.parameters.get("api-version", "")
        if not version:
            raise refuse(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        if found["operation"]:
            return self._operation(found["operation"])
        alias = found["alias"]
        if not found["items"]:
            return self._watchlist(request, alias, version)
        watchlist = self.watchlists.get(alias)
        if watchlist is None:
            raise refuse(404, "NotFound", f"Watchlist with alias '{alias}' not found.")
        if found["item"]:
            return self._item(request, watchlist, found["item"])
        return self._page(request, watchlist)

    def _watchlist(self, request: Request, alias: str, version: str) -> Reply:
        watchlist = self.watchlists.get(alias)
        is_slow = version >= _LONG_RUNNING_SINCE
        if request.method == "PUT":
            return self._make(request, alias, is_slow=is_slow)
        if watchlist is None:
            if request.method == "DELETE":
                return Reply(HTTPStatus.NO_CONTENT)
            raise refuse(404, "NotFound", f"Watchlist with alias '{alias}' not found.")
        if request.method == "DELETE":
            return self._remove(request, alias, watchlist, is_slow=is_slow)
        return reply_json(HTTPStatus.OK, _shown(alias, watchlist, is_slow=is_slow))

    def _remove(self, request: Request, alias: str, watchlist: Watchlist, *, is_slow: bool) -> Reply:
        if watchlist.polls_left:
            raise refuse(409, "Conflict", "The watchlist has an upload in progress.")
        self.changes += len(watchlist.items)
        if not is_slow:
            del self.watchlists[alias]
            return Reply(HTTPStatus.OK)
        watchlist.goes, watchlist.polls_left = True, max(1, self.polls)
        where = self._address(request, alias)
        return Reply(202, headers={"Azure-AsyncOperation": where, "Location": where, "Retry-After": "0"})

    def _make(self, request: Request, alias: str, *, is_slow: bool) -> Reply:
        told = request.read().get("properties", {})
        self._check(alias, told, is_slow=is_slow)
        raw = told.pop("rawContent", "")
        rows = [dict(row) for row in csv.DictReader(StringIO(raw))]
        if any(not row.get(told["itemsSearchKey"]) for row in rows):
            raise refuse(400, "BadRequest", "The search key column has a blank value.")
        if self.refused_values.intersection(row["Value"] for row in rows):
            raise refuse(400, "BadRequest", "The file has a row that is not valid.")
        is_new = alias not in self.watchlists
        watchlist = self.watchlists.setdefault(alias, Watchlist(told))
        watchlist.properties.update(told, createdBy=dict(_OURS))
        self.changes += len(rows)
        watchlist.coming += rows
        if not is_slow or not self.polls:
            watchlist.finish()
            return reply_json(201 if is_new else 200, _shown(alias, watchlist, is_slow=is_slow))
        watchlist.polls_left = self.polls
        address = self._address(request, alias)
        shown = _shown(alias, watchlist, is_slow=is_slow)
        return reply_json(201, shown, Azure_AsyncOperation=address, Retry_After="0")

    def _check(self, alias: str, told: Mapping[str, Any], *, is_slow: bool) -> None:
        if not _ALIAS.fullmatch(alias) or alias in self.refused_aliases:
            raise refuse(400, "BadRequest", f"The watchlist alias '{alias}' is not valid.")
        needed = (
            ("displayName", "provider", "itemsSearchKey")
            if is_slow
            else ("displayName", "provider", "source", "itemsSearchKey")
        )
        for name in needed:
            if not told.get(name):
                raise refuse(400, "BadRequest", f"Required property '{name}' was not found.")
        if not is_slow and told["source"] not in {"Local file", "Remote storage"}:
            raise refuse(400, "BadRequest", "The source is not valid.")
        if len(told.get("rawContent", "").encode()) > MOST_BYTES:
            raise refuse(413, "RequestEntityTooLarge", "The file is larger than 3.8 MB.")

    def _address(self, request: Request, alias: str) -> str:
        base = request.path.partition("/watchlists/")[0]
        return f"{request.url}{base}/operations/{alias}?api-version=2025-09-01"

    def _operation(self, alias: str) -> Reply:
        watchlist = self.watchlists.get(alias)
        if watchlist is None:
            return reply_json(HTTPStatus.OK, {"name": alias, "status": "Succeeded"})
        watchlist.polls_left = max(0, watchlist.polls_left - 1)
        if watchlist.polls_left:
            return reply_json(HTTPStatus.OK, {"name": alias, "status": "InProgress"}, Retry_After="0")
        if watchlist.goes:
            del self.watchlists[alias]
        else:
            watchlist.finish()
        return reply_json(HTTPStatus.OK, {"name": alias, "status": "Succeeded"})

    def _page(self, request: Request, watchlist: Watchlist) -> Reply:
        start = int(request.parameters.get("$skipToken", "0"))
        chosen = list(watchlist.items.items())[start : start + self.page_size]
        body: dict[str, Any] = {"value": [_shown_item(name, item) for name, item in chosen]}
        if start + self.page_size < len(watchlist.items):
            version = request.parameters["api-version"]
            path = request.path.replace(" ", "%20")
            body["nextLink"] = (
                f"{request.url}{path}?api-version={version}&$skipToken={start + self.page_size}"
            )
        return reply_json(HTTPStatus.OK, body)

    def _item(self, request: Request, watchlist: Watchlist, name: str) -> Reply:
        if request.method == "GET":
            if name not in watchlist.items:
                raise refuse(404, "NotFound", "The watchlist item was not found.")
            return reply_json(HTTPStatus.OK, _shown_item(name, watchlist.items[name]))
        if request.method == "DELETE":
            if watchlist.items.pop(name, None) is None:
                return Reply(HTTPStatus.NO_CONTENT)
            self.changes += 1
            return Reply(HTTPStatus.OK)
        if len(request.body) > _MOST_BYTES_OF_ROW:
            raise refuse(400, "BadRequest", "The watchlist item is larger than 10 KB.")
        content = request.read().get("properties", {}).get("itemsKeyValue")
        if not isinstance(content, dict) or not content.get(watchlist.properties["itemsSearchKey"]):
            raise refuse(400, "BadRequest", "The search key column has a blank value.")
        if content["Value"] in self.refused_values:
            raise refuse(400, "BadRequest", f"The value '{content['Value']}' is not valid.")
        is_new = name not in watchlist.items
        watchlist.items[name] = Item({key: str(cell) for key, cell in content.items()})
        self.changes += 1
        return reply_json(201 if is_new else 200, _shown_item(name, watchlist.items[name]))

    def rows(self, alias: str) -> list[dict[str, str]]:
        return [item.content for item in self.watchlists[alias].items.values()]

    def add_by_hand(self, alias: str, **content: str) -> str:
        name = str(uuid4())
        by = {"objectId": str(UUID(int=9)), "email": "sam@contoso.example", "name": "Sam"}
        self.watchlists[alias].items[name] = Item(dict(content), by)
        return name


def _shown(alias: str, watchlist: Watchlist, *, is_slow: bool) -> dict[str, Any]:
    state = {"provisioningState": watchlist.state} if is_slow else {}
    upload = "Complete" if watchlist.state == "Succeeded" else "InProgress"
    return {
        "id": f"/subscriptions/…/providers/Microsoft.SecurityInsights/watchlists/{alias}",
        "name": alias,
        "etag": '"0300bf09-0000-0000-0000-5c37296e0000"',
        "type": "Microsoft.SecurityInsights/Watchlists",
        "properties": {
            **watchlist.properties,
            **state,
            "watchlistId": str(UUID(int=1)),
            "watchlistAlias": alias,
            "watchlistType": "watchlist",
            "isDeleted": False,
            "uploadStatus": upload,
        },
    }


def _shown_item(name: str, item: Item) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/…/watchlistItems/{name}",
        "name": name,
        "type": "Microsoft.SecurityInsights/Watchlists/WatchlistItems",
        "properties": {
            "watchlistItemType": "watchlist-item",
            "watchlistItemId": name,
            "isDeleted": False,
            "createdBy": dict(item.created_by),
            "itemsKeyValue": dict(item.content),
            "entityMapping": {},
        },
    }
