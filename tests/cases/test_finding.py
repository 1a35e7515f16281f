from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.finding import find_values
from cases.models import Case
from cases.verdicts.subject import Subject, SubjectRefused, read_subject
from footprint.accounts.models import Person
from tests.cases.world import merge_and_settle, open_case, row, value_of


def as_subject(text: str) -> Subject | None:
    try:
        return read_subject(text)
    except SubjectRefused:
        return None


def found(text: str, at_most: int = 20) -> list[str]:
    return [each.value for each in find_values(as_subject(text), text, at_most)]


@pytest.fixture
def seen(case: Case) -> Case:
    merge_and_settle(
        case,
        row(dns="contoso.example"),
        row("203.0.113.9", "login.contoso.example"),
        row(dns="contoso.example.net"),
        row(dns="notcontoso.example"),
        row("203.0.113.7"),
        row("198.51.100.1"),
        row("198.51.100.17"),
        row("203.0.113.8", "198.51.100.2"),
        row(dns="<B>unreadable"),
    )
    return case


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "contoso.example",
            ["contoso.example", "login.contoso.example", "contoso.example.net", "notcontoso.example"],
        ),
        ("*.contoso.example", ["contoso.example", "login.contoso.example"]),
        ("hxxps://LOGIN[.]contoso[.]example/a?b", ["login.contoso.example"]),
        ("conto", ["contoso.example", "contoso.example.net", "login.contoso.example", "notcontoso.example"]),
        ("203.0.113.7", ["203.0.113.7"]),
        ("203.0.113.9", ["login.contoso.example"]),
        ("198.51.100.1", ["198.51.100.1", "198.51.100.17"]),
        ("198.51.100.2", ["198.51.100.2"]),
        ("203.0.113.0/24", ["198.51.100.2", "203.0.113.7", "login.contoso.example"]),
        ("203.0.", ["203.0.113.7", "198.51.100.2", "login.contoso.example"]),
        ("<B>", ["<B>unreadable"]),
        (
            "oso.example",
            ["contoso.example", "contoso.example.net", "login.contoso.example", "notcontoso.example"],
        ),
        ("%%%", []),
        ("on_", []),
        ("999.", []),
    ],
)
def test_what_is_found(seen: Case, text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_no_more_than_asked_for(seen: Case) -> None:
    assert found("contoso.example", 2) == ["contoso.example", "login.contoso.example"]


def test_a_value_comes_with_the_youngest_cases_that_have_it(rui: Person) -> None:
    cases = [open_case(rui, "a.exe") for _ in range(5)]
    for case in cases:
        merge_and_settle(case, row("203.0.113.7", "a.example"), row("203.0.113.8", "a.example"))
    (value,) = find_values(as_subject("a.example"), "a.example", 20)
    assert [each.case for each in value.cases] == [case.pk for case in reversed(cases[2:])]
    assert value.more
    assert value.cases[0].value_pk == value_of(cases[-1], "a.example").pk


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40).filter(lambda text: "\0" not in text))
def test_whatever_is_typed_is_answered(seen: Case, text: str) -> None:
    assert isinstance(found(text), list)
