"""Addresses for bench/pages.py: ours, and a plain changelist of values at /plain/."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from cases.models import CaseValue
from footprint.accounts.gate import OPEN_TO_ALL

PAGE = 50


class PlainSite(admin.AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return True


class PlainValues(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the types alone
    """Columns as the queue shows them, without what needs a thought."""

    list_display = ("value", "kind", "last_seen", "events", "devices", "ports", "verdict")
    list_filter = ("verdict",)
    search_fields = ("value",)
    list_per_page = PAGE
    ordering = ("-first_seen",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    # Else the gate turns everybody away.
    changelist_view.verb = OPEN_TO_ALL  # type: ignore[attr-defined]  # as the gate reads it

    def has_view_permission(self, request: HttpRequest, obj: CaseValue | None = None) -> bool:
        return True

    has_change_permission = has_delete_permission = has_view_permission


site = PlainSite()
site.register(CaseValue, PlainValues)
urlpatterns = [path("plain/", site.urls), path("", include("footprint.urls"))]
