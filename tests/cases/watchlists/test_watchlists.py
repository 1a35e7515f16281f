from __future__ import annotations

import hashlib
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from cases.actions import undo
from cases.models import Case
from cases.watchlists.actions import download
from cases.watchlists.computing import Rule, compute, wanted
from cases.watchlists.formats import REGISTRY, ListEntry
from cases.watchlists.models import Watchlist
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from tests.cases.test_deciding import pass_expiry
from tests.cases.world import decide_on, merge_and_settle, row


@pytest.fixture(autouse=True)
def seen(case: Case) -> None:
    merge_and_settle(
        case,
        row("1.1.1.1", "b.example"),
        row("", "a.example"),
        row("1.1.1.1"),
        row("2.2.2.2"),
        row("", "two words"),
    )


def entries_of(watchlist: Watchlist) -> list[ListEntry]:
    with transaction.atomic():
        compute(Rule.of(watchlist))
        return list(wanted())


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


def test_two_lists_exist_from_the_start(db: None):
    assert dict(Watchlist.objects.values_list("slug", "verdict")) == {
        "all-blocks": "blocked",
        "all-allows": "allowed",
    }


def test_a_list_holds_what_is_decided_everywhere_in_a_fixed_order(case: Case, rui: Person, blocks: Watchlist):
    for value in ("b.example", "1.1.1.1", "a.example"):
        decide_on(rui, case, value, "blocked", "everywhere")
    decide_on(rui, case, "2.2.2.2", "allowed", "everywhere")
    assert [entry.value for entry in entries_of(blocks)] == ["1.1.1.1", "a.example", "b.example"]


def test_an_entry_tells_who_decided_when_and_why(case: Case, rui: Person, blocks: Watchlist):
    decision = decide_on(rui, case, "a.example", reason="Beacons")
    (entry,) = entries_of(blocks)
    assert (entry.decided_by, entry.decided_at, entry.reason) == ("Rui Alves", decision.made_at, "Beacons")
    assert (entry.case, entry.decision) == (case.pk, decision.pk)


def test_narrower_scopes_never_leave_the_house(case: Case, rui: Person, blocks: Watchlist):
    decide_on(rui, case, "a.example", "blocked", "case")
    decide_on(rui, case, "b.example", "blocked", "file", file=case.files.get(key="a.exe"))
    assert list(entries_of(blocks)) == []


def test_our_own_names_never_leave_the_house(case: Case, rui: Person, blocks: Watchlist, settings: Any):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"own_names": "contoso.com"})
    names = ("contoso.com", "vpn.contoso.com", "notcontoso.com", "fabrikam.com")
    merge_and_settle(case, *(row(dns=name) for name in names))
    for name in names:
        decide_on(rui, case, name)
    assert [entry.value for entry in entries_of(blocks)] == ["fabrikam.com", "notcontoso.com"]


def test_a_list_lets_go_of_what_is_undone_superseded_or_over(case: Case, rui: Person, blocks: Watchlist):
    undo(actor=rui, decision=decide_on(rui, case, "a.example"))
    decide_on(rui, case, "b.example")
    decide_on(rui, case, "b.example", "allowed")
    pass_expiry(decide_on(rui, case, "1.1.1.1", expires_at=timezone.now() + timedelta(days=1)))
    assert list(entries_of(blocks)) == []


def test_a_download_is_the_list_and_leaves_an_entry(case: Case, rui: Person, blocks: Watchlist):
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "two words")
    taken = download(actor=Actor.person(rui), watchlist=blocks, format=REGISTRY["plain-text"])
    with taken.content:
        content = taken.content.read()
    assert (content, taken.filename, taken.entries) == (b"a.example\n", "all-blocks.txt", 1)
    assert taken.report.left_out == 1
    entry = Entry.objects.get(event="watchlists:watchlist:downloaded")
    assert (entry.actor_name, entry.subject_id) == ("Rui Alves", "all-blocks")
    assert entry.content["after"] == {
        "format": "plain-text",
        "publication": None,
        "entries": 1,
        "left_out": 1,
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_the_command_prints_the_list_alone(case: Case, rui: Person):
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "two words")
    out, err = StringIO(), StringIO()
    call_command("export_watchlist", "all-blocks", "--format", "plain-text", stdout=out, stderr=err)
    assert out.getvalue() == "a.example\n"
    assert "1 entries" in err.getvalue()
    assert "'two words': unreadable text" in err.getvalue()


def test_the_command_replaces_the_file_as_a_whole(case: Case, rui: Person, tmp_path: Path):
    decide_on(rui, case, "a.example", "allowed")
    output = tmp_path / "list.csv"
    output.write_text("old")
    call_command(
        "export_watchlist", "all-allows", "--format=sentinel-csv", "--output", str(output), stderr=StringIO()
    )
    assert output.read_bytes().startswith(b"Value,Kind,")
    assert b"\r\na.example,name,allowed," in output.read_bytes()
    assert list(tmp_path.iterdir()) == [output]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing", "--format", "plain-text"], "No watchlist 'nothing'. Known: all-blocks, all-allows."),
        (
            ["all-blocks", "--format", "docx"],
            "No format 'docx'. Known: sentinel-csv, defender-csv",
        ),
        (["all-blocks", "--format", "plain-text", "--output", "/no/such/folder/x"], "There is no folder"),
    ],
)
def test_the_command_names_what_is_wrong(db: None, arguments: list[str], says: str):
    with pytest.raises(CommandError, match=says) as refused:
        call_command("export_watchlist", *arguments)
    assert refused.value.returncode == 2
    assert not Entry.objects.filter(event="watchlists:watchlist:downloaded").exists()
