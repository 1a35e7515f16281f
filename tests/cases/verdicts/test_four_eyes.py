from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.verdicts.four_eyes import NONE_OVERRIDDEN, Facts, Limits, Overridden, needs_lead, why_second_person
from cases.verdicts.precedence import Scope, Verdict
from cases.verdicts.subject import Subject, SubjectKind, read_subject

NAME, STAR, NETWORK = (
    read_subject("a.example.com"),
    read_subject("*.example.com"),
    read_subject("10.1.0.0/16"),
)
DECIDED = st.sampled_from([Verdict.ALLOWED, Verdict.BLOCKED])
FACTS = st.builds(
    Facts,
    subject=st.sampled_from([NAME, STAR, NETWORK, Subject(SubjectKind.TEXT, "two words")]),
    verdict=DECIDED,
    scope=st.sampled_from(Scope),
    replaces=st.none() | DECIDED,
    known_good=st.lists(st.sampled_from(["Good names", "Clouds"]), max_size=2).map(tuple),
    overridden=st.sampled_from([NONE_OVERRIDDEN, Overridden(("the block of a.example.com everywhere",), 1)]),
    devices=st.integers(0, 60),
    other_cases=st.integers(0, 8),
)


def facts(**given_facts: object) -> Facts:
    of_all: dict[str, object] = {"subject": NAME, "verdict": Verdict.BLOCKED, "scope": Scope.EVERYWHERE}
    return Facts(**(of_all | given_facts))  # type: ignore[arg-type]  # any of them


@given(FACTS)
def test_what_is_wide_always_needs_two(found: Facts):
    if found.subject.is_wide:
        assert why_second_person(found, Limits())


@given(FACTS)
def test_stricter_limits_never_need_fewer_people(found: Facts):
    lax = why_second_person(found, Limits(devices=50, other_cases=6))
    strict = why_second_person(found, Limits(devices=2, other_cases=1, everywhere_blocks=True))
    assert len(strict) >= len(lax)


@given(FACTS)
def test_a_decision_that_is_replaced_adds_reasons_and_takes_none(found: Facts):
    alone = Facts(**{name: getattr(found, name) for name in Facts.__slots__} | {"replaces": None})
    assert set(why_second_person(alone, Limits())) <= set(why_second_person(found, Limits()))


@given(FACTS)
def test_every_reason_is_a_sentence(found: Facts):
    for sentence in why_second_person(found, Limits(everywhere_blocks=True)):
        assert sentence.endswith(".")
        assert sentence[0].isupper() or sentence[0].isdigit()


@pytest.mark.parametrize(("devices", "needed"), [(24, False), (25, True)])
def test_many_devices(devices: int, needed: bool):
    assert bool(why_second_person(facts(devices=devices), Limits())) == needed


@pytest.mark.parametrize(("cases", "needed"), [(2, False), (3, True)])
def test_many_other_cases(cases: int, needed: bool):
    assert bool(why_second_person(facts(other_cases=cases), Limits())) == needed


@pytest.mark.parametrize(
    ("verdict", "replaces", "needed"),
    [
        (Verdict.BLOCKED, None, True),
        (Verdict.ALLOWED, None, False),
        (Verdict.ALLOWED, Verdict.BLOCKED, True),
    ],
)
def test_what_is_known_good(verdict: Verdict, replaces: Verdict | None, needed: bool):
    found = facts(verdict=verdict, replaces=replaces, known_good=("Good names",))
    assert bool(why_second_person(found, Limits())) == needed


def test_many_lists_are_named_and_counted():
    found = facts(known_good=tuple("abcde"))
    assert why_second_person(found, Limits()) == ("It contradicts what is known good: a, b, c and 2 more.",)


@pytest.mark.parametrize(
    ("subject", "scope", "needed"),
    [
        (STAR, Scope.EVERYWHERE, True),
        (NETWORK, Scope.EVERYWHERE, True),
        (STAR, Scope.CASE, False),
        (NETWORK, Scope.FILE, False),
        (NAME, Scope.EVERYWHERE, False),
    ],
)
def test_what_is_wide_and_counts_everywhere_takes_a_lead(subject: Subject, scope: Scope, needed: bool):
    assert needs_lead(subject, scope) == needed
