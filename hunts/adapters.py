"""Which adapter speaks to a source."""

from __future__ import annotations

from django.conf import settings

from hunts.models import Source
from hunts.sources.base import Adapter
from hunts.sources.local import LocalAdapter
from hunts.telemetry.store import Store


def store_of(source: Source) -> Store:
    return Store(settings.FOOTPRINT.telemetry_dir / source.slug)


def adapter_for(source: Source) -> Adapter:
    return LocalAdapter(store_of(source))
