"""The commands, over real HTTP: add a source, test it, ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from footprint.ledger.record import Actor
from hunts.models import Source
from hunts.source_actions import pause_source
from tests.hunts.lab_sources import source_at
from tests.hunts.parquet import recorded, write_parquet
from tests.lab.__main__ import WORKSPACE
from tests.lab.faults import Kind
from tests.lab.server import Lab

pytestmark = pytest.mark.django_db

KINDS = ["log_analytics", "defender_xdr", "data_explorer"]
SECRET = "a-bearer-token-nobody-may-see"
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
MANY = sorted(f"203.0.113.{number}," for number in range(32))


def at(days: int) -> datetime:
    return NOON - timedelta(days=days)


@pytest.fixture
def lab(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"allow_http_sources": True})
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    rows = [recorded("sync.exe", f"192.0.2.{back}", "CDN.example.", at(back)) for back in range(1, 9)]
    rows += [recorded("many.exe", pair.rstrip(","), "", at(1 + place % 8)) for place, pair in enumerate(MANY)]
    with Lab([write_parquet(tmp_path / "lab.parquet", rows)], token=SECRET) as lab:
        yield lab


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=out)
    return out.getvalue()


def failed(*words: str) -> tuple[int, str]:
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(*words, stdout=out, stderr=out)
    return caught.value.returncode, out.getvalue() + str(caught.value)


def raw_pairs(source: Source, *words: str) -> list[str]:
    asked = run("footprint", "SYNC.exe", "--source", source.slug, "--raw", "--format", "csv", *words)
    return sorted(asked.splitlines()[1:])


ADD: dict[str, Callable[[Lab], list[str]]] = {
    "log_analytics": lambda lab: ["--workspace", WORKSPACE],
    "defender_xdr": lambda lab: [],
    "data_explorer": lambda lab: ["--database", lab.kusto.database],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_is_added_tested_and_asked(lab: Lab, kind: str) -> None:
    words = ["--kind", kind, "--endpoint", lab.url, "--credential", "token:LAB_TOKEN", *ADD[kind](lab)]
    assert "test_source lab" in run("add_source", "lab", *words)
    tested = run("test_source", "lab")
    assert tested.count("ok ") == 6
    assert "lab can be asked." in tested
    source = Source.objects.get(slug="lab")
    assert raw_pairs(source) == sorted(f"192.0.2.{back},CDN.example." for back in range(1, 9))
    assert source.probe is not None
    assert source.probe["passed"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_is_honoured(lab: Lab, kind: str) -> None:
    source = source_at(lab, kind)
    first, last = at(4).date().isoformat(), at(3).date().isoformat()
    asked = raw_pairs(source, "--since", first, "--until", last)
    assert asked == ["192.0.2.3,CDN.example.", "192.0.2.4,CDN.example."]


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_answer_is_split_until_it_is_whole(lab: Lab, kind: str) -> None:
    for service in (lab.log_analytics, lab.graph, lab.kusto):
        service.max_rows = 9
    # Graph gives no sign of a cut, so how many rows it gives is a setting.
    options = {"max_rows": "9"} if kind == "defender_xdr" else {}
    slug = source_at(lab, kind, options=options).slug
    asked = run("footprint", "many.exe", "--source", slug, "--raw", "--format", "csv").splitlines()
    assert sorted(asked[1:]) == MANY
    # The plan, thirty-two groups in one answer, and parts of them.
    assert len(lab.asked) > 3


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_source_refuses_fails_the_command(lab: Lab, kind: str) -> None:
    source = source_at(lab, kind)
    lab.fault(Kind.FORBIDDEN, times=20)
    code, said = failed("footprint", "sync.exe", "--source", source.slug)
    assert code == 3
    assert source.slug in said


def test_nothing_recorded_is_no_failure(lab: Lab) -> None:
    assert run("footprint", "nobody.exe", "--source", source_at(lab).slug, "--format", "csv") == "IP,DNS\n"


def test_a_refusal_is_told_with_the_services_words_and_what_to_do(lab: Lab) -> None:
    source = source_at(lab)
    lab.fault(Kind.FORBIDDEN, times=20)
    code, said = failed("test_source", source.slug)
    assert code == 3
    assert "ok      reached" in said
    assert "FAILED  permitted" in said
    assert "It said:" in said
    assert "What to do:" in said
    source.refresh_from_db()
    assert source.probe is not None
    assert not source.probe["passed"]


def test_a_missing_token_is_told_by_the_name_of_its_variable(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_at(lab)
    monkeypatch.delenv("LAB_TOKEN")
    code, said = failed("test_source", source.slug)
    assert code == 3
    assert "FAILED  signed in" in said
    assert "LAB_TOKEN" in said


def test_no_secret_is_said_logged_or_kept(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    source = source_at(lab)
    lab.token = "another"
    with caplog.at_level("DEBUG", logger="hunts"):
        _, said = failed("test_source", source.slug)
    source.refresh_from_db()
    for place in (said, caplog.text, str(source.probe), str(source.options)):
        assert SECRET not in place


def test_a_paused_source_is_not_asked_but_can_be_tested(lab: Lab) -> None:
    source = source_at(lab)
    pause_source(actor=Actor.run(1), source=source, because="403 Forbidden")
    code, said = failed("footprint", "sync.exe", "--source", source.slug)
    assert (code, "403 Forbidden" in said) == (3, True)
    assert lab.asked == []
    assert "is paused: 403 Forbidden" in run("test_source", source.slug)


def test_a_source_that_is_not_there_is_bad_input() -> None:
    assert failed("test_source", "nowhere")[0] == 2


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["--kind", "log_analytics"], "--workspace"),
        (["--kind", "data_explorer", "--database", "x"], "--endpoint"),
        (["--kind", "defender_xdr", "--credential", "s3cret"], "--credential"),
        (["--kind", "defender_xdr", "--endpoint", "http://127.0.0.1:1"], "--endpoint"),
        (["--kind", "defender_xdr", "--workspace", WORKSPACE], "--workspace"),
        (["--kind", "defender_xdr", "--owner", "nobody"], "--owner"),
        (["--kind", "defender_xdr", "--at-once", "0"], "--at-once"),
    ],
)
def test_bad_settings_are_told_by_their_option(words: list[str], field: str) -> None:
    code, said = failed("add_source", "lab", *words)
    assert code == 2
    assert said.startswith(field)
    assert "s3cret" not in said
    assert not Source.objects.filter(slug="lab").exists()
