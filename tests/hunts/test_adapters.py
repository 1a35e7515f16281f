from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from footprint.azure.process import PerProcess
from footprint.ledger.record import Actor
from hunts.adapters import adapter_for
from hunts.models import Source
from hunts.source_actions import change_source
from hunts.sources.errors import Refused
from hunts.sources.local import LocalAdapter
from hunts.sources.log_analytics import LogAnalyticsAdapter
from tests.lab.__main__ import WORKSPACE


def remote(number: int = 700_001, **fields: object) -> Source:
    given = {"slug": "sentinel", "kind": "log_analytics", "credential": "default", "version": 1, **fields}
    return Source(pk=number, **{"options": {"workspace": WORKSPACE}, **given})


def test_one_adapter_is_kept_per_source() -> None:
    first = adapter_for(remote())
    assert isinstance(first, LogAnalyticsAdapter)
    assert adapter_for(remote()) is first
    assert adapter_for(remote(700_002)) is not first


def test_a_change_of_the_source_makes_a_new_one() -> None:
    first = adapter_for(remote())
    second = adapter_for(remote(version=2))
    assert second is not first
    assert adapter_for(remote(version=2)) is second


def test_threads_that_ask_together_get_one_adapter() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: adapter_for(remote(700_003)), range(64)))
    assert len({id(adapter) for adapter in made}) == 1


def test_a_forked_process_makes_its_own() -> None:
    first = adapter_for(remote(700_004))
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of threads that may be about; the child takes no lock of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"same" if adapter_for(remote(700_004)) is first else b"own")
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"own"
    os.close(reading)


class Told:
    """Says when it is taken down."""

    def __init__(self, writing: int) -> None:
        self.writing = writing

    def __del__(self) -> None:
        os.write(self.writing, b"taken down")


def test_a_forked_process_takes_nothing_down_that_it_inherited() -> None:
    reading, writing = os.pipe()
    kept = PerProcess(lambda: Told(writing))
    kept.get()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        kept.get()
        os._exit(0)
    os.waitpid(child, 0)
    os.set_blocking(reading, False)
    with pytest.raises(BlockingIOError):
        os.read(reading, 10)
    kept.forget()
    assert os.read(reading, 10) == b"taken down"
    os.close(reading)
    os.close(writing)


def test_a_source_that_nobody_can_ask_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="workspace"):
        adapter_for(remote(700_005, options={}))


def test_plain_http_is_a_setting(settings: Any) -> None:
    lab = {"options": {"workspace": WORKSPACE, "endpoint": "http://127.0.0.1:1"}}
    with pytest.raises(Refused, match="https"):
        adapter_for(remote(700_006, **lab))
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"allow_http_sources": True})
    assert isinstance(adapter_for(remote(700_006, **lab)), LogAnalyticsAdapter)


@pytest.mark.django_db
def test_a_local_source_is_asked_on_this_machine_after_a_change_too() -> None:
    source = Source.objects.get(slug="local")
    first = adapter_for(source)
    assert isinstance(first, LocalAdapter)
    change_source(actor=Actor.command("tests"), source=source, title="Exports")
    assert adapter_for(source) is not first
