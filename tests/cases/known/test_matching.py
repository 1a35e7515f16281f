from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.known.actions import switch_list
from cases.known.matching import KnownHit, known_hits
from cases.known.reading import Entry, read_entry
from cases.verdicts.subject import Subject, SubjectKind, read_subject
from footprint.accounts.models import Person
from tests.cases.known.lists import known_list, load, source

pytestmark = pytest.mark.django_db


def hits_of(typed: str) -> list[KnownHit]:
    subject = read_subject(typed)
    return known_hits([subject]).get(subject, [])


def said_of(typed: str) -> list[tuple[str, bool]]:
    return [(hit.matched, hit.is_inside) for hit in hits_of(typed)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("203.0.113.9", [("203.0.113.0/24", False)]),
        ("203.0.114.9", []),
        ("198.51.100.7", [("198.51.100.7", False)]),
        ("2001:db8::1", [("2001:db8::/32", False)]),
        ("203.0.113.0/25", [("203.0.113.0/24", False)]),
        ("203.0.113.0/24", [("203.0.113.0/24", False)]),
        ("203.0.0.0/16", [("203.0.113.0/24", True)]),
        ("contoso.com", [("contoso.com", False)]),
        ("www.contoso.com", []),
        ("*.contoso.com", [("contoso.com", True)]),
        ("fabrikam.com", [("*.fabrikam.com", False)]),
        ("a.b.fabrikam.com", [("*.fabrikam.com", False)]),
        ("*.b.fabrikam.com", [("*.fabrikam.com", False)]),
        ("notfabrikam.com", []),
        ("xcontoso.com", []),
    ],
)
def test_a_subject_finds_the_entry_that_is_it_or_lies_around_or_inside_it(
    typed: str, said: list[tuple[str, bool]]
):
    known_list("ours", ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32", "contoso.com", "*.fabrikam.com"])
    assert said_of(typed) == said


def test_of_several_entries_around_a_subject_the_narrowest_is_told():
    known_list("ours", ["203.0.0.0/16", "203.0.113.0/24", "*.com", "*.contoso.com"])
    assert said_of("203.0.113.9") == [("203.0.113.0/24", False)]
    assert said_of("www.contoso.com") == [("*.contoso.com", False)]


def test_entries_inside_a_wide_subject_are_counted():
    known_list("ours", ["203.0.113.7", "203.0.113.9", "contoso.com", "a.contoso.com", "*.b.contoso.com"])
    assert [(hit.matched, hit.entries) for hit in hits_of("203.0.113.0/24")] == [("203.0.113.7", 2)]
    assert [hit.entries for hit in hits_of("*.contoso.com")] == [3]


def test_what_is_known_good_comes_first():
    load(source("a-popular", "contoso.com", category="popular"), source("b-good", "contoso.com"))
    assert [hit.list_slug for hit in hits_of("contoso.com")] == ["b-good", "a-popular"]
    assert [hit.is_known_good for hit in hits_of("contoso.com")] == [True, False]


def test_an_ignored_list_is_silent(rui: Person):
    switch_list(actor=rui, known_list=known_list("ours", ["contoso.com"]), standing="ignore")
    assert hits_of("contoso.com") == []


def test_text_that_nobody_can_read_is_on_no_list():
    known_list("ours", ["contoso.com"])
    assert known_hits([Subject(SubjectKind.TEXT, "contoso.com")]) == {}


def test_any_number_of_subjects_is_one_question():
    known_list("ours", ["contoso.com", "203.0.113.0/24"])
    subjects = [read_subject(f"{name}.contoso.com") for name in "abc"]
    subjects += [read_subject("*.contoso.com"), read_subject("203.0.113.9"), read_subject("203.0.0.0/16")]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        known_hits(subjects)
    assert len(asked) == 1


LABELS = st.sampled_from(["a", "b", "c"])
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "example"]))
NETWORKS = st.builds(
    lambda number, length: str(ip_network((number, length), strict=False)),
    st.integers(0xCB007100, 0xCB0071FF),
    st.integers(23, 32),
) | st.builds(
    lambda number, length: str(ip_network(((0x20010DB8 << 96) + number, length), strict=False)),
    st.integers(0, 15),
    st.integers(122, 128),
)
LINES = NAMES | NAMES.map("*.{}".format) | NETWORKS
WORLDS = st.lists(st.lists(LINES, min_size=1, max_size=8), min_size=1, max_size=3)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WORLDS, st.lists(LINES, min_size=1, max_size=8))
def test_the_database_finds_what_plain_python_finds(world: list[list[str]], typed: list[str]):
    subjects = list({read_subject(text) for text in typed})
    with transaction.atomic():
        load(*(source(f"list-{number}", *lines) for number, lines in enumerate(world)))
        found = known_hits(subjects)
        transaction.set_rollback(True)
    for subject in subjects:
        said = {(hit.list_slug, hit.is_inside) for hit in found.get(subject, [])}
        assert said == expected(subject, world)
        for hit in found.get(subject, []):
            lines = world[int(hit.list_slug.removeprefix("list-"))]
            entry = subject_of(read_entry(hit.matched, names_with_below=False))
            assert entry in [subject_of(read_entry(line, names_with_below=False)) for line in lines]
            assert subject.covers(entry) if hit.is_inside else entry.covers(subject)


def expected(subject: Subject, world: list[list[str]]) -> set[tuple[str, bool]]:
    said = set()
    for number, lines in enumerate(world):
        entries = [subject_of(read_entry(line, names_with_below=False)) for line in lines]
        if any(entry.covers(subject) for entry in entries):
            said.add((f"list-{number}", False))
        elif any(subject.covers(entry) for entry in entries):
            said.add((f"list-{number}", True))
    return said


def subject_of(entry: Entry) -> Subject:
    if entry.network is None:
        return Subject(SubjectKind.BELOW if entry.below else SubjectKind.NAME, entry.name)
    network = ip_network(entry.network)
    if network.prefixlen == network.max_prefixlen:
        return Subject(SubjectKind.ADDRESS, str(network.network_address))
    return Subject(SubjectKind.NETWORK, entry.network)
