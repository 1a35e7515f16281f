"""Gives a page to error answers that have none: a refused method, for one, comes with an empty body."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from footprint.desk.views.errors import TROUBLES, error_page


class ErrorPagesMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code not in TROUBLES or not isinstance(response, HttpResponse) or response.content:
            return response
        page = error_page(request, response.status_code)
        for name, value in response.headers.items():
            if name != "Content-Type":
                page.headers.setdefault(name, value)
        return page
