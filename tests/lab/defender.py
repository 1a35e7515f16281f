"""`/api/indicators` of Defender for Endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from ipaddress import ip_address
from itertools import count
from typing import Any

from tests.lab.arm import Arm, refuse
from tests.lab.wire import Reply, Request, reply_json

PATH = re.compile(r"/api/indicators(?:/(?P<rest>[^/]+))?")
AT_ONCE = 500
_TYPES = {"IpAddress", "DomainName", "Url", "FileSha1", "FileSha256", "FileMd5", "CertificateThumbprint"}
_NETWORK_ACTIONS = {"Allowed", "Audit", "Warn", "Block"}
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+", re.IGNORECASE)
_EIGHT = re.compile(r"[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}", re.IGNORECASE)


@dataclass
class Defender(Arm):
    limit: int = 15_000
    # Most that one page gives, whatever is asked for.
    page_size: int = 10_000
    # Failures of single indicators inside an answer of 200, by value; and of whole imports they are in.
    refused: dict[str, str] = field(default_factory=dict)
    spoiling: set[str] = field(default_factory=set)
    indicators: dict[str, dict[str, Any]] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: count(2841))

    def answer(self, request: Request, now: datetime) -> Reply:
        found = PATH.fullmatch(request.path)
        assert found is not None
        match request.method, found["rest"]:
            case "GET", None:
                return self._page(request)
            case "POST", "import":
                return self._import(request, now)
            case "POST", "BatchDelete":
                return self._remove_batch(request)
            case "DELETE", str(name):
                if self.indicators.pop(name, None) is None:
                    raise refuse(404, "NotFound", f"Indicator {name} was not found.")
                return Reply(HTTPStatus.NO_CONTENT)
            case _:
                raise refuse(405, "MethodNotAllowed", "The method is not allowed.")

    def _page(self, request: Request) -> Reply:
        top = min(int(request.parameters.get("$top", self.page_size)), self.page_size)
        skip = int(request.parameters.get("$skip", 0))
        chosen = list(self.indicators.values())[skip : skip + top]
        context = f"{request.url}/api/$metadata#Indicators"
        return reply_json(HTTPStatus.OK, {"@odata.context": context, "value": chosen})

    def _import(self, request: Request, now: datetime) -> Reply:
        asked = request.read().get("Indicators")
        if not isinstance(asked, list):
            raise refuse(400, "MissingRequiredParameter", "The parameter Indicators is missing.")
        if len(asked) > AT_ONCE:
            raise refuse(400, "MaximumBatchSizeExceeded", f"At most {AT_ONCE} indicators at once.")
        if any(each.get("indicatorValue") in self.spoiling for each in asked):
            raise refuse(400, "InvalidInput", "One of the indicators is not valid.")
        return reply_json(HTTPStatus.OK, {"value": [self._take(each, now) for each in asked]})

    def _take(self, asked: dict[str, Any], now: datetime) -> dict[str, Any]:
        value = str(asked.get("indicatorValue", ""))
        reason = self.refused.get(value) or _fault_of(asked)
        same = next(
            (
                known
                for known in self.indicators.values()
                if (known["indicatorType"], known["indicatorValue"]) == (asked.get("indicatorType"), value)
            ),
            None,
        )
        if reason is None and same is None and len(self.indicators) >= self.limit:
            reason = f"The number of indicators has reached its limit of {self.limit}."
        if reason is not None:
            return {"id": None, "indicator": value, "isFailed": True, "failureReason": reason}
        name = same["id"] if same else str(next(self._ids))
        kept = {**(same or self._new(now)), **asked, "id": name, "lastUpdateTime": _moment(now)}
        if kept.get("expirationTime"):
            kept["expirationTime"] = kept["expirationTime"].replace("Z", ".0000000Z")
        self.indicators[name] = kept
        return {"id": name, "indicator": value, "isFailed": False, "failureReason": None}

    def _new(self, now: datetime) -> dict[str, Any]:
        return {
            "source": "footprint-app",
            "sourceType": "AadApp",
            "createdBy": "0f0f0f0f-0000-0000-0000-000000000007",
            "creationTimeDateTimeUtc": _moment(now),
            "rbacGroupNames": [],
            "rbacGroupIds": [],
        }

    def _remove_batch(self, request: Request) -> Reply:
        names = request.read().get("IndicatorIds")
        if not isinstance(names, list) or len(names) > AT_ONCE:
            raise refuse(400, "InvalidInput", f"Give at most {AT_ONCE} ids.")
        for name in names:
            if name not in self.indicators:
                raise refuse(404, "NotFound", f"Indicator {name} was not found.")
        for name in names:
            del self.indicators[name]
        return Reply(HTTPStatus.NO_CONTENT)

    def values(self) -> list[str]:
        return sorted(each["indicatorValue"] for each in self.indicators.values())

    def add_by_hand(self, value: str, **more: Any) -> str:
        name = str(next(self._ids))
        usual = {"indicatorType": "DomainName", "action": "Block", "title": "By hand", "description": "-"}
        by = {"createdBy": "sam@contoso.example", "sourceType": "User", "source": "Sam", "severity": "High"}
        self.indicators[name] = {
            **usual,
            **by,
            "expirationTime": None,
            **more,
            "id": name,
            "indicatorValue": value,
        }
        return name


def _fault_of(asked: dict[str, Any]) -> str | None:
    value, kind = str(asked.get("indicatorValue", "")), asked.get("indicatorType")
    missing = [name for name in ("action", "title", "description") if not asked.get(name)]
    if missing:
        return f"MissingRequiredParameter: {missing[0]}"
    if kind not in _TYPES:
        return "InvalidInput: indicatorType"
    if asked["action"] not in _NETWORK_ACTIONS:
        return "InvalidInput: action"
    if kind == "DomainName" and not _DOMAIN.fullmatch(value):
        return "InvalidDomainName"
    return _fault_of_address(value) if kind == "IpAddress" else None


def _fault_of_address(value: str) -> str | None:
    if ":" in value and not _EIGHT.fullmatch(value):
        return "InvalidIpAddress"
    try:
        address = ip_address(value)
    except ValueError:
        return "InvalidIpAddress"
    return None if address.is_global else "InvalidIpAddress: internal addresses are not supported"


def _moment(now: datetime) -> str:
    return now.isoformat(timespec="microseconds").replace("+00:00", "0Z")
