"""Which decision governs: every sentence of the design, a row each.

A world is written down as what was decided, then what is expected of one endpoint of the case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from cases.explained import explain_endpoint, ruling_of
from cases.models import Case, Endpoint
from cases.refusals import CannotDecide
from cases.settling import resettle
from cases.verdicts.settle import take_verdict_lock
from footprint.accounts.models import Person
from tests.cases.design.subjects import ADDRESS, NAME
from tests.cases.verdicts.test_settle import put
from tests.cases.world import decide_on, merge_and_settle, open_case, row


@dataclass(frozen=True)
class Decided:
    subject: str
    verdict: str
    scope: str = "everywhere"


def allow(subject: str, scope: str = "everywhere") -> Decided:
    return Decided(subject, "allowed", scope)


def block(subject: str, scope: str = "everywhere") -> Decided:
    return Decided(subject, "blocked", scope)


# (sentence, decisions in force, (address, name) of the endpoint, verdict)
VERDICTS: tuple[tuple[str, Sequence[Decided], tuple[str, str], str], ...] = (
    ("narrower scope wins: this case over this file",
     [block(NAME, "file"), allow(NAME, "case")], (ADDRESS, NAME), "allowed"),
    ("narrower scope wins: this file over everywhere",
     [block(NAME), allow(NAME, "file")], (ADDRESS, NAME), "allowed"),
    ("narrower scope wins before the more specific subject",
     [block(NAME), allow("*.contoso.com", "case")], (ADDRESS, NAME), "allowed"),
    ("then the more specific subject: exact over suffix",
     [block("*.contoso.com"), allow(NAME)], (ADDRESS, NAME), "allowed"),
    ("then the more specific subject: longer suffix over shorter",
     [allow("*.contoso.com"), block("*.login.contoso.com")], (ADDRESS, f"a.{NAME}"), "blocked"),
    ("then the more specific subject: longer prefix over shorter",
     [allow("40.0.0.0/8"), block("40.1.0.0/16")], (ADDRESS, ""), "blocked"),
    ("then the more specific subject: exact over network",
     [block("40.0.0.0/8"), allow(ADDRESS)], (ADDRESS, ""), "allowed"),
    ("an endpoint is blocked if its name is",
     [block(NAME), allow(ADDRESS)], (ADDRESS, NAME), "blocked"),
    ("an endpoint is blocked if its address is",
     [allow(NAME), block(ADDRESS)], (ADDRESS, NAME), "blocked"),
    ("otherwise the name governs: allowed if its name is allowed",
     [allow(NAME)], (ADDRESS, NAME), "allowed"),
    ("allowed if it has no name and its address is allowed",
     [allow(ADDRESS)], (ADDRESS, ""), "allowed"),
    ("an allowed address alone never clears a name",
     [allow(ADDRESS)], (ADDRESS, NAME), "undecided"),
    ("example.com is exact",
     [block("contoso.com")], (ADDRESS, NAME), "undecided"),
    ("*.example.com is example.com",
     [block("*.contoso.com")], (ADDRESS, "contoso.com"), "blocked"),
    ("*.example.com is everything below",
     [block("*.contoso.com")], (ADDRESS, NAME), "blocked"),
    ("and nothing that merely ends alike",
     [block("*.contoso.com")], (ADDRESS, "notcontoso.com"), "undecided"),
    ("without a decision a value is undecided",
     [], (ADDRESS, NAME), "undecided"),
    ("an address in the place of a name governs as a name",
     [allow("9.9.9.0/24")], (ADDRESS, "9.9.9.9"), "allowed"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("sentence", "decided", "pair", "verdict"), VERDICTS, ids=[row[0] for row in VERDICTS]
)
@pytest.mark.parametrize("order", ["decided first", "seen first"])
def test_verdicts(
    sentence: str,
    decided: Sequence[Decided],
    pair: tuple[str, str],
    verdict: str,
    order: str,
    case: Case,
    rui: Person,
):
    if order == "seen first":
        merge_and_settle(case, row(*pair))
    take_verdict_lock()
    resettle([put(rui, case, each.subject, each.verdict, each.scope) for each in decided])
    if order == "decided first":
        merge_and_settle(case, row(*pair))
    endpoint = Endpoint.objects.select_related("file").get()
    assert endpoint.verdict == verdict, (sentence, explain_endpoint(endpoint))


@pytest.mark.parametrize("scope", ["case", "file"])
def test_candidates_are_those_whose_scope_covers_the_case_or_the_file(case: Case, rui: Person, scope: str):
    elsewhere = open_case(rui, "a.exe", "b.exe")
    merge_and_settle(case, row(ADDRESS, NAME))
    take_verdict_lock()
    resettle([put(rui, elsewhere, NAME, "blocked", scope, "b.exe")])
    assert Endpoint.objects.get(case=case).verdict == "undecided"


@pytest.mark.parametrize("state", ["over", "withdrawn"])
def test_candidates_are_the_decisions_in_force(case: Case, rui: Person, state: str):
    merge_and_settle(case, row(ADDRESS, NAME))
    take_verdict_lock()
    resettle([put(rui, case, NAME, state=state)])
    assert Endpoint.objects.get().verdict == "undecided"


def test_the_order_is_total(case: Case, rui: Person):
    ranks = [
        ruling_of(put(rui, case, subject, scope=scope)).rank
        for subject in (NAME, f"*.{NAME}", "*.contoso.com")
        for scope in ("case", "file", "everywhere")
    ]
    assert len(set(ranks)) == len(ranks)


def test_the_screen_says_so_in_words(case: Case, rui: Person):
    merge_and_settle(case, row(ADDRESS, NAME))
    for each in (allow("*.contoso.com", "case"), block(NAME), block("40.0.0.0/8")):
        put(rui, case, each.subject, each.verdict, each.scope)
    assert explain_endpoint(Endpoint.objects.select_related("file").get()) == (
        "Name: allowed by *.contoso.com in this case, over the block of login.contoso.com everywhere."
        " Address: blocked by 40.0.0.0/8 everywhere. So: blocked."
    )


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        (NAME, "*.com"),
        (NAME, "*"),
        (NAME, "*.co.uk"),
        (NAME, "*.github.io"),
        ("2001:db8::1", "2001::/18"),
        (ADDRESS, "40.0.0.0/7"),
        (ADDRESS, "0.0.0.0/0"),
        (ADDRESS, "::ffff:40.0.0.0/102"),
    ],
)
def test_refused_as_too_wide(seen: Case, rui: Person, value: str, typed: str):
    merge_and_settle(seen, row("2001:db8::1"))
    with pytest.raises(CannotDecide) as refused:
        decide_on(rui, seen, value, subject=typed)
    assert refused.value.field == "subject"


@pytest.mark.parametrize(
    ("value", "typed"),
    [(ADDRESS, "40.0.0.0/8"), (ADDRESS, "40.1.2.3/32"), (ADDRESS, ADDRESS), ("2001:db8::1", "2001::/19")],
)
def test_not_too_wide(seen: Case, rui: Person, value: str, typed: str):
    merge_and_settle(seen, row("2001:db8::1"))
    decide_on(rui, seen, value, subject=typed)
