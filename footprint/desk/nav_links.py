"""The links of the rails, on every page the same: drawn once for each page that is current or not."""

from __future__ import annotations

from functools import cache

from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from footprint.desk.drawn import icon

_CURRENT = mark_safe(' aria-current="page"')


def rail_link(key: str, name: str, route: str, *, is_current: bool) -> SafeString:
    """Empty where the route is not part of the site."""
    return _rail_link(get_script_prefix(), key, name, route, is_current=is_current)


def bottombar_link(key: str, name: str, route: str, *, is_current: bool) -> SafeString:
    return _bottombar_link(get_script_prefix(), key, name, route, is_current=is_current)


# The prefix of the site is of a request, and every address that is reversed begins with it.
@cache
def _rail_link(_prefix: str, key: str, name: str, route: str, *, is_current: bool) -> SafeString:
    return _link(
        '<a class="rail-link" href="{}" title="{}"{}>{}<span class="name">{}</span></a>',
        route,
        name,
        _CURRENT if is_current else "",
        icon(key),
        name,
    )


@cache
def _bottombar_link(_prefix: str, key: str, name: str, route: str, *, is_current: bool) -> SafeString:
    return _link(
        '<a href="{}"{}>{}<span>{}</span></a>', route, _CURRENT if is_current else "", icon(key, 20), name
    )


def _link(markup: str, route: str, *parts: str) -> SafeString:
    try:
        return format_html(markup, reverse(route), *parts)
    except NoReverseMatch:
        return SafeString("")
