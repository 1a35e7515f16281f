from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.models import Decision, ValueKind
from cases.models import Verdict as KeptVerdict
from cases.querysets import EXACT_KINDS as QUERIED_AS_EXACT
from cases.verdicts.precedence import Asker, Judgement, Ruling, Scope, Verdict, explain, judge
from cases.verdicts.subject import EXACT_KINDS, Subject, SubjectKind, read_subject

NAME = Subject(SubjectKind.NAME, "login.contoso.example")
IP = "40.1.2.3"
ADDRESS = Subject(SubjectKind.ADDRESS, IP)
HERE = Asker(7, ("name", "a.exe"))
ALLOWED, BLOCKED, UNDECIDED = Verdict.ALLOWED, Verdict.BLOCKED, Verdict.UNDECIDED
numbers = itertools.count(1)


def ruling(
    verdict: Verdict, subject: Subject = NAME, scope: Scope = Scope.EVERYWHERE, **where: object
) -> Ruling:
    if scope is Scope.CASE:
        where = {"case": 7} | where
    if scope is Scope.FILE:
        where = {"file": ("name", "a.exe")} | where
    return Ruling(next(numbers), verdict, subject, scope, **where)  # type: ignore[arg-type]  # by name in each test


def judged(*rulings: Ruling, ip: str | None = IP, name: Subject | None = NAME) -> Judgement:
    return judge(ip=ip, name=name, asker=HERE, rulings=rulings)


@pytest.mark.parametrize(
    ("name", "address", "verdict"),
    [
        (None, None, UNDECIDED),
        (ALLOWED, None, ALLOWED),
        (ALLOWED, ALLOWED, ALLOWED),
        (None, ALLOWED, UNDECIDED),
        (BLOCKED, None, BLOCKED),
        (BLOCKED, ALLOWED, BLOCKED),
        (ALLOWED, BLOCKED, BLOCKED),
        (None, BLOCKED, BLOCKED),
        (BLOCKED, BLOCKED, BLOCKED),
    ],
)
def test_the_name_governs_unless_the_address_is_blocked(
    name: Verdict | None, address: Verdict | None, verdict: Verdict
):
    rulings = [ruling(name)] if name else []
    rulings += [ruling(address, ADDRESS)] if address else []
    assert judged(*rulings).verdict is verdict


@pytest.mark.parametrize("verdict", [ALLOWED, BLOCKED])
def test_without_a_name_the_address_governs(verdict: Verdict):
    assert judged(ruling(verdict, ADDRESS), name=None).verdict is verdict


def test_this_case_wins_over_this_file_and_everywhere():
    assert (
        judged(ruling(BLOCKED), ruling(BLOCKED, scope=Scope.FILE), ruling(ALLOWED, scope=Scope.CASE)).verdict
        is ALLOWED
    )


def test_this_file_wins_over_everywhere():
    assert judged(ruling(ALLOWED), ruling(BLOCKED, scope=Scope.FILE)).verdict is BLOCKED


def test_a_decision_of_another_case_does_not_reach_here():
    assert judged(ruling(BLOCKED, scope=Scope.CASE, case=8)).verdict is UNDECIDED


@pytest.mark.parametrize("file", [("name", "b.exe"), ("sha1", "a.exe")])
def test_a_decision_for_another_file_does_not_reach_here(file: tuple[str, str]):
    assert judged(ruling(BLOCKED, scope=Scope.FILE, file=file)).verdict is UNDECIDED


def test_another_subject_does_not_matter():
    assert judged(ruling(BLOCKED, Subject(SubjectKind.NAME, "contoso.example"))).verdict is UNDECIDED


def test_an_address_in_the_place_of_the_name_governs_like_one():
    other = Subject(SubjectKind.ADDRESS, "9.9.9.9")
    assert judged(ruling(ALLOWED, other), name=other).verdict is ALLOWED
    assert judged(ruling(ALLOWED, ADDRESS), name=other).verdict is UNDECIDED


def test_a_text_is_not_a_name_of_the_same_spelling():
    assert judged(ruling(BLOCKED, Subject(SubjectKind.TEXT, NAME.text))).verdict is UNDECIDED


def test_the_judgement_is_told_in_words():
    rulings = (
        ruling(BLOCKED),
        ruling(ALLOWED, scope=Scope.CASE),
        ruling(BLOCKED, ADDRESS),
    )
    assert explain(judged(*rulings)) == (
        "Name: allowed by login.contoso.example in this case, "
        "over the block of login.contoso.example everywhere. "
        "Address: blocked by 40.1.2.3 everywhere. So: blocked."
    )


def test_an_allowed_address_that_does_not_clear_the_name_is_told():
    assert explain(judged(ruling(ALLOWED, ADDRESS))) == (
        "Name: no decision in force. Address: allowed by 40.1.2.3 everywhere. "
        "So: undecided; an allowed address alone never clears a name."
    )


def test_the_words_of_the_design():
    rulings = (
        ruling(ALLOWED, read_subject("*.contoso.com"), Scope.CASE),
        ruling(BLOCKED, read_subject("login.contoso.com")),
        ruling(BLOCKED, read_subject("40.0.0.0/8")),
    )
    assert explain(judged(*rulings, name=read_subject("login.contoso.com"))) == (
        "Name: allowed by *.contoso.com in this case, over the block of login.contoso.com everywhere. "
        "Address: blocked by 40.0.0.0/8 everywhere. So: blocked."
    )


def test_only_what_is_there_is_told():
    assert explain(judged(ruling(ALLOWED, ADDRESS, Scope.FILE), name=None)) == (
        "Address: allowed by 40.1.2.3 for this file. So: allowed."
    )
    assert explain(judged(ip=None)) == "Name: no decision in force. So: undecided."


def test_a_text_is_told_in_quotes():
    text = Subject(SubjectKind.TEXT, "two words")
    assert explain(judged(ruling(BLOCKED, text), ip=None, name=text)) == (
        "Name: blocked by the text “two words” everywhere. So: blocked."
    )


@pytest.mark.parametrize(
    ("narrow", "wide", "value"),
    [
        ("login.contoso.com", "*.contoso.com", "login.contoso.com"),
        ("*.login.contoso.com", "*.contoso.com", "a.login.contoso.com"),
        ("10.1.2.3", "10.1.2.0/24", "10.1.2.3"),
        ("10.1.2.0/24", "10.0.0.0/8", "10.1.2.3"),
    ],
)
@pytest.mark.parametrize("verdict", [ALLOWED, BLOCKED])
def test_the_more_specific_subject_wins_within_a_scope(narrow: str, wide: str, value: str, verdict: Verdict):
    other = BLOCKED if verdict is ALLOWED else ALLOWED
    rulings = (ruling(other, read_subject(wide)), ruling(verdict, read_subject(narrow)))
    assert judged(*rulings, ip=None, name=read_subject(value)).verdict is verdict


def test_the_narrower_scope_wins_over_the_more_specific_subject():
    rulings = (
        ruling(BLOCKED, read_subject("login.contoso.com")),
        ruling(ALLOWED, read_subject("*.contoso.com"), Scope.CASE),
    )
    assert judged(*rulings, ip=None, name=read_subject("login.contoso.com")).verdict is ALLOWED


def test_a_network_governs_an_address_in_the_place_of_the_name():
    other = Subject(SubjectKind.ADDRESS, "9.9.9.9")
    assert judged(ruling(ALLOWED, read_subject("9.9.9.0/24")), name=other).verdict is ALLOWED


@given(st.permutations(list(Scope)))
def test_ranks_of_what_may_meet_are_never_equal(order: list[Scope]):
    meeting = [ruling(ALLOWED, NAME, scope) for scope in order]
    assert len({each.rank for each in meeting}) == len(meeting)


def test_the_pure_rules_and_the_tables_use_the_same_words():
    assert {scope.value for scope in Scope} == set(Decision.Scope.values)
    assert {verdict.value for verdict in Verdict} == set(KeptVerdict.values)
    assert {kind.value for kind in EXACT_KINDS} == set(ValueKind.values) == set(QUERIED_AS_EXACT)
    assert {kind.value for kind in SubjectKind} == set(Decision.SubjectKind.values)
