from __future__ import annotations

from cases.counting import count_values, count_values_of, sum_up_counts
from cases.models import Case, CaseValue, ValueCount
from footprint.accounts.models import Person
from tests.cases.world import decide_on, merge_and_settle, row


def counted(case: Case) -> tuple[int, int, int]:
    found = [CaseValue.objects.filter(case=case, verdict=verdict) for verdict in ("undecided", "allowed")]
    return found[0].count(), found[1].count(), CaseValue.objects.filter(case=case, verdict="blocked").count()


def kept_counts(case: Case) -> tuple[int, int, int]:
    kept = count_values(case.pk)
    return kept.undecided, kept.allowed, kept.blocked


def test_the_counts_follow_merges_decisions_and_what_is_removed(
    case: Case, other_case: Case, rui: Person
) -> None:
    assert kept_counts(case) == (0, 0, 0)
    merge_and_settle(case, *(row(dns=f"n{number}.example") for number in range(7)))
    merge_and_settle(other_case, row(dns="n0.example"), row(dns="n1.example"))
    decide_on(rui, case, "n0.example", "blocked")
    decide_on(rui, case, "n1.example", "allowed", scope="case")
    assert kept_counts(case) == counted(case) == (5, 1, 1)
    assert kept_counts(other_case) == counted(other_case) == (1, 0, 1)
    CaseValue.objects.filter(case=case, value__in=["n0.example", "n5.example"]).delete()
    assert kept_counts(case) == counted(case) == (4, 1, 0)


def test_summing_up_changes_no_number(case: Case, other_case: Case, rui: Person) -> None:
    for number in range(120):
        merge_and_settle(case, row(dns=f"n{number}.example"))
    merge_and_settle(other_case, row(dns="a.example"))
    decide_on(rui, case, "n0.example")
    before = ValueCount.objects.count()
    sum_up_counts()
    assert ValueCount.objects.count() < before
    assert kept_counts(case) == counted(case) == (119, 0, 1)
    assert kept_counts(other_case) == (1, 0, 0)


def test_many_cases_are_counted_at_once(case: Case, other_case: Case) -> None:
    merge_and_settle(case, row(dns="a.example"))
    found = count_values_of([case.pk, other_case.pk])
    assert {pk: counts.everything for pk, counts in found.items()} == {case.pk: 1, other_case.pk: 0}


def test_cases_carry_their_counts(case: Case, rui: Person) -> None:
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    decide_on(rui, case, "a.example")
    found = Case.objects.with_counts().get(pk=case.pk)
    assert (found.values_all, found.values_open) == (2, 1)  # type: ignore[attr-defined]  # annotated
