"""How Azure Resource Manager says that something is wrong."""

from __future__ import annotations

import json
from http import HTTPStatus

from tests.lab.wire import Refusal, Reply, reply_json


class Arm:
    def no_token(self) -> Reply:
        return error(
            401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
        )

    def expired(self) -> Reply:
        words = "The access token expiry UTC time '11/24/2026 8:00:00 AM' is earlier than current UTC time."
        return error(401, "ExpiredAuthenticationToken", words)

    def forbidden(self) -> Reply:
        words = (
            "The client '0f0f' with object id '0f0f' does not have authorization to perform action"
            " 'Microsoft.SecurityInsights/watchlists/write' over scope '/subscriptions/…'."
        )
        return error(403, "AuthorizationFailed", words)

    def throttled(self, retry_after: str) -> Reply:
        headers = {"Retry-After": retry_after} if retry_after else {}
        words = "Number of 'write' requests for subscription exceeded the limit. Please try again later."
        body = {"error": {"code": "SubscriptionRequestsThrottled", "message": words}}
        return Reply(429, json.dumps(body).encode(), headers=headers)

    def cpu_spent(self) -> Reply:
        return self.throttled("")

    def unavailable(self) -> Reply:
        return error(503, "ServiceUnavailable", "The service is unavailable.")

    def wrong_json(self) -> Reply:
        return reply_json(HTTPStatus.OK, ["not", "an", "object"])


def error(status: int, code: str, message: str) -> Reply:
    return reply_json(status, {"error": {"code": code, "message": message}})


def refuse(status: int, code: str, message: str) -> Refusal:
    return Refusal(error(status, code, message))
