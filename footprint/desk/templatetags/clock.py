"""Times of day where a day's mark stands above them: `{% load clock %}`."""

from __future__ import annotations

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from footprint.desk.drawn import in_readers_zone
from footprint.desk.times import exact_time

register = template.Library()


@register.simple_tag
def clock(value: datetime) -> SafeString:
    """ "09:08:51" in the reader's zone; the exact time and UTC in the title."""
    local, utc = in_readers_zone(value), value.astimezone(UTC)
    title = f"{exact_time(local)}, {exact_time(utc)} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', f"{utc:%Y-%m-%dT%H:%M:%SZ}", title, f"{local:%H:%M:%S}"
    )


@register.simple_tag
def both_zones(value: datetime) -> SafeString:
    """ "24 Nov 2026 09:08:51.204 Europe/Berlin, 08:08:51.204 UTC": to the millisecond, for proofs."""
    local, utc = in_readers_zone(value), value.astimezone(UTC)
    milliseconds = f"{value.microsecond // 1000:03}"
    if local.utcoffset() == utc.utcoffset():
        return format_html(
            '<time datetime="{}">{}.{} UTC</time>', utc.isoformat(), exact_time(utc), milliseconds
        )
    utc_text = f"{utc:%H:%M:%S}" if local.date() == utc.date() else exact_time(utc)
    return format_html(
        '<time datetime="{}">{}.{} <span class="sub">{}.{} UTC</span></time>',
        utc.isoformat(),
        exact_time(local),
        milliseconds,
        utc_text,
        milliseconds,
    )
