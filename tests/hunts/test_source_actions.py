from __future__ import annotations

from typing import Any

import pytest

from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from hunts.models import Source
from hunts.source_actions import (
    SourceMoved,
    add_source,
    change_source,
    note_probe,
    pause_source,
    resume_source,
)
from hunts.sources.base import Check, Probe, Step
from hunts.sources.errors import BadSource
from tests.lab.__main__ import WORKSPACE
from tests.roles import person_with

pytestmark = pytest.mark.django_db

COMMAND = Actor.command("tests")
SENTINEL: dict[str, Any] = {"options": {"workspace": WORKSPACE}, "credential": "managed_identity"}


@pytest.fixture
def lea() -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def sentinel() -> Source:
    return add_source(actor=COMMAND, slug="sentinel", kind="log_analytics", title="Sentinel", **SENTINEL)


def last_entry() -> dict[str, Any]:
    content: dict[str, Any] = Entry.objects.latest("seq").content
    return content


def test_adding_tells_the_ledger_what_is_asked_and_how(sentinel: Source) -> None:
    told = last_entry()
    assert told["event"] == "hunts:source:added"
    assert told["after"] == {
        "slug": "sentinel",
        "kind": "log_analytics",
        "title": "Sentinel",
        "options": {"workspace": WORKSPACE},
        "credential": "managed_identity",
        "at_once": 4,
        "per_30_seconds": 200,
    }


def test_a_tenant_is_asked_as_often_as_graph_promises_to_answer() -> None:
    xdr = add_source(actor=COMMAND, slug="xdr", kind="defender_xdr", credential="default")
    assert xdr.per_30_seconds == 20


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("slug", {"slug": "local"}),
        ("slug", {"slug": "new"}),
        ("slug", {"slug": "a b"}),
        ("kind", {"kind": "splunk"}),
        ("workspace", {"options": {}}),
        ("workspace", {"options": {"workspace": "contoso"}}),
        ("database", {"options": {"workspace": WORKSPACE, "database": "x"}}),
        ("endpoint", {"options": {"workspace": WORKSPACE, "endpoint": "http://127.0.0.1"}}),
        ("credential", {"credential": "s3cret"}),
        ("credential", {"credential": ""}),
        ("at_once", {"at_once": 0}),
        ("per_30_seconds", {"per_30_seconds": 100_000}),
        ("keep_days", {"keep_days": 30}),
        ("title", {"title": "x" * 101}),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_field(field: str, given: dict[str, Any]) -> None:
    before = Source.objects.count()
    with pytest.raises(BadSource) as caught:
        add_source(actor=COMMAND, **{"slug": "sentinel", "kind": "log_analytics", **SENTINEL, **given})
    assert caught.value.field == field
    assert Source.objects.count() == before


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEY", "DATABASE_URL", "REDIS_URL_FILE", "FOOTPRINT_HOSTS", "AZURE_CLIENT_SECRET", "PGPASSWORD"],
)
def test_no_other_secret_of_the_environment_is_sent_as_a_token(name: str) -> None:
    given = {**SENTINEL, "credential": f"token:{name}"}
    with pytest.raises(BadSource) as caught:
        add_source(actor=COMMAND, slug="sentinel", kind="log_analytics", **given)
    assert caught.value.field == "credential"


def test_a_local_source_takes_no_credential_and_no_endpoint() -> None:
    with pytest.raises(BadSource):
        add_source(actor=COMMAND, slug="lab", kind="local", credential="default")
    with pytest.raises(BadSource):
        add_source(actor=COMMAND, slug="lab", kind="local", options={"endpoint": "https://a.example"})


def test_a_change_moves_the_version_and_tells_only_what_changed(sentinel: Source) -> None:
    change_source(actor=COMMAND, source=sentinel, title="Sentinel", at_once=2)
    assert (sentinel.version, sentinel.at_once) == (2, 2)
    told = last_entry()
    assert told["event"] == "hunts:source:changed"
    assert (told["before"], told["after"]) == ({"at_once": 4}, {"at_once": 2})


def test_changing_nothing_is_no_change(sentinel: Source) -> None:
    entries = Entry.objects.count()
    change_source(actor=COMMAND, source=sentinel, title="Sentinel")
    assert sentinel.version == 1
    assert Entry.objects.count() == entries


def test_a_change_of_what_somebody_else_changed_is_refused(sentinel: Source) -> None:
    change_source(actor=COMMAND, source=sentinel, at_once=2)
    with pytest.raises(SourceMoved):
        change_source(actor=COMMAND, source=sentinel, seen=1, at_once=3)
    sentinel.refresh_from_db()
    assert sentinel.at_once == 2


def test_a_change_to_what_cannot_be_asked_changes_nothing(sentinel: Source) -> None:
    with pytest.raises(BadSource):
        change_source(actor=COMMAND, source=sentinel, options={"workspace": "contoso"})
    sentinel.refresh_from_db()
    assert (sentinel.version, sentinel.options) == (1, {"workspace": WORKSPACE})


def test_a_run_pauses_a_source_and_nobody_is_named_for_it(sentinel: Source) -> None:
    assert pause_source(actor=Actor.run(7), source=sentinel, because="403 Forbidden")
    assert sentinel.is_paused
    assert (sentinel.paused_by, sentinel.paused_because) == (None, "403 Forbidden")
    told = last_entry()
    assert (told["event"], told["reason"], told["actor"]["name"]) == (
        "hunts:source:paused",
        "403 Forbidden",
        "run 7",
    )
    assert list(Source.objects.active().filter(pk=sentinel.pk)) == []


def test_pausing_twice_pauses_once(sentinel: Source, lea: Person) -> None:
    assert pause_source(actor=Actor.person(lea), source=sentinel, because="Moving")
    entries = Entry.objects.count()
    assert not pause_source(actor=Actor.run(7), source=sentinel, because="403")
    assert (sentinel.paused_by, sentinel.paused_because) == (lea, "Moving")
    assert Entry.objects.count() == entries


def test_a_refusal_from_before_the_source_was_mended_does_not_pause_it(sentinel: Source) -> None:
    as_the_run_knows_it = Source.objects.get(pk=sentinel.pk)
    change_source(actor=COMMAND, source=sentinel, credential="client_secret")
    assert not pause_source(actor=Actor.run(7), source=as_the_run_knows_it, because="401")
    sentinel.refresh_from_db()
    assert not sentinel.is_paused


def test_resuming_clears_the_reason_and_makes_adapters_anew(sentinel: Source, lea: Person) -> None:
    pause_source(actor=Actor.run(7), source=sentinel, because="401")
    assert resume_source(actor=Actor.person(lea), source=sentinel)
    assert not sentinel.is_paused
    assert (sentinel.paused_because, sentinel.version) == ("", 2)
    assert last_entry()["before"] == {"paused": True, "paused_because": "401"}
    assert last_entry()["after"] == {"paused": False}
    assert not resume_source(actor=Actor.person(lea), source=sentinel)


def test_a_probe_is_kept_with_the_version_that_was_tested(sentinel: Source, lea: Person) -> None:
    failed = Check(Step.PERMITTED, False, "It refused.", "AuthorizationFailed", "Give the role.")
    note_probe(
        actor=Actor.person(lea), source=sentinel, probe=Probe((Check(Step.REACHED, True, "ok"), failed))
    )
    assert sentinel.probe is not None
    assert sentinel.probe["version"] == 1
    assert sentinel.probe["checks"][1] == {
        "step": "permitted",
        "passed": False,
        "found": "It refused.",
        "said": "AuthorizationFailed",
        "advice": "Give the role.",
    }
    assert sentinel.probed_at is not None
    assert last_entry()["after"] == {"passed": False, "failed": "permitted", "found": "It refused."}
