from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.intake_actions import CannotTakeIn, drop, take_in
from cases.intakes import taking_in
from cases.intakes.examining import examine
from cases.models import Decision, Intake
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from tests.cases.views.test_decision_list import made


def taken(rui: Person, text: str, verdict: str = "blocked", **more: str) -> Intake:
    return take_in(actor=rui, content=text.encode(), name="list.txt", verdict=verdict, **more)


def findings(intake: Intake) -> list[str]:
    return list(intake.entries.order_by("place").values_list("finding", flat=True))


def test_every_line_is_kept_with_what_it_is(rui: Person) -> None:
    intake = taken(rui, "# of the hoster\na.example\n*.com\nwords and more\nA.example.\n\n203.0.113.7\n")
    assert findings(intake) == ["new", "too wide", "unreadable", "repeated", "new"]
    assert (intake.lines, intake.asides) == (5, 2)
    assert list(intake.entries.order_by("place").values_list("number", flat=True)) == [2, 3, 4, 5, 7]
    assert intake.entries.get(finding="repeated").why == "It stands in line 2 already."
    assert not Decision.objects.exists()


def test_the_ledger_has_the_hash_of_the_bytes(rui: Person) -> None:
    taken(rui, "a.example\nb b\n")
    entry = Entry.objects.get(event="cases:intake:read")
    assert entry.content["after"]["sha256"] == hashlib.sha256(b"a.example\nb b\n").hexdigest()
    assert entry.content["after"]["lines"] == {"new": 1, "unreadable": 1}
    assert entry.actor_name == str(rui)


@pytest.mark.parametrize(
    ("kind", "subject", "line", "finding"),
    [
        ("name", "a.example", "a.example", "same"),
        ("below", "a.example", "*.a.example", "same"),
        ("address", "203.0.113.7", "203.0.113.7", "same"),
        ("network", "203.0.113.0/24", "203.0.113.9/24", "same"),
        ("below", "example.net", "a.example.net", "around"),
        ("below", "example.net", "*.a.example.net", "around"),
        ("network", "203.0.113.0/24", "203.0.113.7", "around"),
        ("network", "203.0.0.0/16", "203.0.113.0/24", "around"),
        ("network", "2001:db8::/32", "2001:db8::7", "around"),
        ("name", "x.a.example", "*.a.example", "inside"),
        ("below", "x.a.example", "*.a.example", "inside"),
        ("address", "203.0.113.7", "203.0.113.0/24", "inside"),
        ("network", "203.0.113.0/28", "203.0.113.0/24", "inside"),
        ("address", "2001:db8::7", "2001:db8::/32", "inside"),
        ("name", "a.example", "b.a.example", "apart"),
        ("name", "a.example", "*.b.example", "apart"),
        ("below", "a.example", "nota.example", "apart"),
        ("address", "203.0.114.7", "203.0.113.0/24", "apart"),
        ("network", "203.0.113.0/24", "203.0.114.1", "apart"),
    ],
)
@pytest.mark.parametrize("verdict", ["blocked", "allowed"])
def test_a_line_beside_a_block_in_force(
    rui: Person, kind: str, subject: str, line: str, finding: str, verdict: str
) -> None:
    block = made(rui, subject, kind)
    (kept,) = taken(rui, line, verdict).entries.all()
    if verdict == "blocked":
        assert kept.finding == ("known" if finding == "same" else "new")
    else:
        assert kept.finding == ("new" if finding == "apart" else "contradicting")
        assert kept.against_id == (None if finding == "apart" else block.pk)


def test_only_what_counts_everywhere_and_now_is_compared(rui: Person) -> None:
    made(rui, "a.example", scope="file", file_kind="name", file_key="a.exe")
    made(rui, "b.example", expires_at=timezone.now() - timedelta(minutes=1))
    made(rui, "c.example", state="withdrawn")
    assert findings(taken(rui, "a.example\nb.example\nc.example")) == ["new"] * 3


def test_looking_again_finds_what_was_decided_meanwhile(rui: Person) -> None:
    intake = taken(rui, "a.example\nb.example\nc.example")
    made(rui, "a.example")
    made(rui, "b.example", verdict="allowed")
    examine(intake)
    assert findings(intake) == ["known", "contradicting", "new"]


def test_a_list_that_gives_the_other_verdict_is_not_believed_blindly(rui: Person) -> None:
    intake = taken(rui, "value,action\na.example,Block\nb.example,Allow\n")
    assert findings(intake) == ["new", "otherwise"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"# only\n\n# comments\n", "empty"),
        (b"PK\x03\x04", "Excel"),
        (b'{"list": 1}', "no warninglist"),
    ],
)
def test_what_cannot_be_read_as_a_whole_keeps_nothing(rui: Person, content: bytes, said: str) -> None:
    with pytest.raises(CannotTakeIn, match=said):
        take_in(actor=rui, content=content, name="x", verdict="blocked")
    assert not Intake.objects.exists()
    assert not Entry.objects.filter(event="cases:intake:read").exists()


def test_a_list_that_is_too_long_is_refused(rui: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_in, "MOST_LINES", 2)
    with pytest.raises(CannotTakeIn, match="3 lines; at most 2"):
        taken(rui, "a.example\nb.example\nc.example\n")


def test_hostile_lines_are_kept_in_a_form_that_can_be(rui: Person) -> None:
    intake = taken(rui, "a\tb\\n\na\u202eb c\n" + "x" * 5_000 + " y\n\\.\n")
    assert findings(intake) == ["unreadable"] * 4
    assert intake.entries.get(place=3).text.endswith(
        "sha256:" + hashlib.sha256(("x" * 5_000 + " y").encode()).hexdigest()[:32]
    )


def test_a_dropped_list_is_over(rui: Person) -> None:
    intake = taken(rui, "a.example")
    drop(actor=rui, intake=intake)
    assert Intake.objects.get().state == "dropped"
    with pytest.raises(CannotTakeIn):
        drop(actor=rui, intake=intake)


def test_twenty_thousand_lines_with_three_hundred_of_garbage(rui: Person) -> None:
    lines = [f"h{number}.zone.example" for number in range(19_700)]
    for number in range(300):
        lines.insert(number * 60, f"garbage {number} !!")
    intake = taken(rui, "\n".join(lines))
    assert intake.entries.counts("finding") == {"new": 19_700, "unreadable": 300}
