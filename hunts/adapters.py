"""Which adapter speaks to a source. One is kept per source and process, until the source changes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from django.conf import settings
from django.utils import timezone

from footprint.azure.process import PerProcess
from footprint.given_away import check_credential
from hunts.models import Source
from hunts.sources.base import Adapter
from hunts.sources.errors import BadSource, Refused
from hunts.sources.local import LocalAdapter
from hunts.sources.open import open_source
from hunts.telemetry.store import Store


def store_of(source: Source, *, waits: bool = True) -> Store:
    """`waits` is whether a change of it waits for another one: a worker has better things to do."""
    return Store(settings.FOOTPRINT.telemetry_dir / source.slug, waits=waits)


def adapter_for(source: Source) -> Adapter:
    """Raises Refused for a source that nobody can ask as it is described."""
    try:
        return _KEPT.get().adapter_for(source)
    except BadSource as error:
        raise Refused(f"This source cannot be asked as it is described: {error.field}. {error}") from error


def open_adapter(kind: str, options: Mapping[str, str], credential: str) -> Adapter:
    """Of a kind that is not local. Raises BadSource for what cannot be meant; calls nobody."""
    check_credential(credential)
    return open_source(
        kind,
        options,
        credential,
        environment=os.environ,
        allow_http=settings.FOOTPRINT.allow_http_sources,
        trusted=settings.FOOTPRINT.trusted_host_names,
        clock=timezone.now,
    )


@dataclass(frozen=True)
class _Kept:
    made_of: tuple[object, ...]
    adapter: Adapter


class _Adapters:
    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[int, _Kept] = {}

    def adapter_for(self, source: Source) -> Adapter:
        made_of = _made_of(source)
        with self._lock:
            kept = self._kept.get(source.pk)
            if kept is None or kept.made_of != made_of:
                kept = self._kept[source.pk] = _Kept(made_of, _make(source))
            return kept.adapter


def _made_of(source: Source) -> tuple[object, ...]:
    configured = settings.FOOTPRINT
    options = tuple(sorted(source.options.items()))
    return (
        *(source.version, source.slug, source.kind, options, source.credential),
        *(configured.telemetry_dir, configured.allow_http_sources, configured.trusted_hosts),
    )


def _make(source: Source) -> Adapter:
    if source.is_local:
        return LocalAdapter(store_of(source))
    return open_adapter(source.kind, source.options, source.credential)


_KEPT: PerProcess[_Adapters] = PerProcess(_Adapters)
