from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.case_actions import (
    CannotChange,
    CannotOpen,
    CaseChangedMeanwhile,
    CaseFacts,
    FileText,
    add_case,
    assign,
    edit_case,
)
from cases.models import Case, Severity
from cases.tags import LONGEST_TAG, MOST_TAGS, bad_tag, read_tags
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor, change
from tests.roles import person_with


def edit(actor: Person, case: Case, **changes: Any) -> Case:
    return edit_case(
        actor=actor, case=case, version=case.version, facts=replace(CaseFacts.of(case), **changes)
    )


def test_an_edit_is_kept_with_what_differs_before_and_after(case: Case, rui: Person, ana: Person):
    edit(rui, case, title=" New title ", severity=Severity.HIGH, tags=("b", "a"), assignee=ana)
    kept = Case.objects.get(pk=case.pk)
    assert (kept.title, kept.severity, kept.tags, kept.assignee) == ("New title", 3, ["a", "b"], ana)
    content = Entry.objects.latest("seq").content
    assert content["event"] == "cases:case:changed"
    assert content["before"] == {
        "title": "Who does it talk to?",
        "severity": "not rated",
        "tags": [],
        "assignee": None,
    }
    assert content["after"] == {
        "title": "New title",
        "severity": "high",
        "tags": ["a", "b"],
        "assignee": "Ana Sousa",
    }


def test_an_edit_that_changes_nothing_writes_nothing(case: Case, rui: Person):
    seq = Entry.objects.latest("seq").seq
    edit(rui, case)
    assert Entry.objects.latest("seq").seq == seq
    assert Case.objects.get(pk=case.pk).version == case.version


def test_a_colleagues_edit_is_never_overwritten_unseen(case: Case, rui: Person, ana: Person):
    edit(ana, case, why="Hers")
    with pytest.raises(CaseChangedMeanwhile) as meanwhile:
        edit(rui, case, why="Mine")
    assert (meanwhile.value.who, meanwhile.value.current.why) == ("Ana Sousa", "Hers")
    assert meanwhile.value.when is not None
    assert Case.objects.get(pk=case.pk).why == "Hers"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "\u202eevil"}, "title"),
        ({"why": "x" * 10_001}, "why"),
        ({"why": "a\x00b"}, "why"),
        ({"severity": 9}, "severity"),
        ({"tlp": "blue"}, "tlp"),
        ({"tags": ("x" * 41,)}, "tags"),
        ({"tags": ("Not lower",)}, "tags"),
        ({"tags": tuple(f"t{number}" for number in range(21))}, "tags"),
    ],
)
def test_facts_that_cannot_be_are_refused_at_their_field(
    case: Case, rui: Person, changes: dict[str, Any], field: str
):
    with pytest.raises(CannotChange) as refused:
        edit(rui, case, **changes)
    assert refused.value.field == field
    assert Case.objects.get(pk=case.pk).version == case.version


def test_a_case_is_given_to_somebody_and_to_nobody(case: Case, rui: Person, ana: Person):
    given = assign(actor=rui, case=case, version=case.version, assignee=ana)
    assert Entry.objects.latest("seq").content["after"] == {"assignee": "Ana Sousa"}
    assert assign(actor=rui, case=case, version=given.version, assignee=None).assignee is None


@pytest.mark.parametrize("role", [Role.READER, Role.AUDITOR, Role.ADMINISTRATOR])
def test_a_case_is_given_to_nobody_who_cannot_work_on_it(case: Case, rui: Person, role: Role):
    with pytest.raises(CannotChange, match="cannot work on cases"):
        assign(actor=rui, case=case, version=case.version, assignee=person_with(role))


def test_whoever_has_a_case_keeps_it_when_their_role_changes(case: Case, rui: Person, ana: Person):
    given = assign(actor=rui, case=case, version=case.version, assignee=ana)
    Person.objects.filter(pk=ana.pk).update(role=Role.READER)
    given = Case.objects.select_related("assignee", "owner").get(pk=given.pk)
    assert edit(rui, given, title="Another").assignee == ana


def test_tags_are_split_at_commas_and_lines():
    assert read_tags(" Blue  Fox,beta\nBETA,, ") == ("beta", "blue fox")


@given(st.text(max_size=200))
def test_what_is_read_as_tags_is_read_the_same_again(text: str):
    tags = read_tags(text)
    assert read_tags(", ".join(tags)) == tags


@given(st.lists(st.from_regex(r"[a-z0-9:-]{1,40}", fullmatch=True), max_size=MOST_TAGS))
def test_plain_tags_are_good(typed: list[str]):
    assert bad_tag(read_tags(",".join(typed))) == ""


@pytest.mark.parametrize("tag", ["x" * (LONGEST_TAG + 1), "a\u202eb", "a,b", " a", "A"])
def test_a_bad_tag_is_told(tag: str):
    assert bad_tag([tag])


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("title", "ab\u202ecd"),
        ("title", "a\u200bb"),
        ("why", "x\x07y"),
        ("why", "x\0y"),
        ("why", "x" * 10_001),
    ],
)
def test_a_case_is_not_opened_with_what_no_edit_would_take(rui: Person, field: str, text: str):
    words = {"title": "Who does it talk to?", "why": "Beacon report"} | {field: text}
    with pytest.raises(CannotOpen) as refused, change(actor=Actor.person(rui)) as ledger:
        add_case(ledger, owner=rui, files=[FileText("name", "a.exe", "a.exe")], **words)
    assert refused.value.field == field
    assert not Case.objects.exists()
