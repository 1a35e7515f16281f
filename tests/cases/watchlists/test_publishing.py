from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
import stix2
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from structlog.testing import capture_logs

from cases.actions import undo
from cases.clock import database_now
from cases.models import Case, Decision, Proposal
from cases.proposal_actions import approve
from cases.watchlists import actions, due, publishing
from cases.watchlists.computing import Rule, compute, wanted
from cases.watchlists.entries import difference, entries_of, gone_before, heading, read_for
from cases.watchlists.formats.plain_text import PlainText
from cases.watchlists.formats.stix import Stix
from cases.watchlists.models import Publication, Watchlist
from cases.watchlists.publishing import CannotPublish
from cases.watchlists.rendering import render
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Checkpoint, Entry
from footprint.ledger.record import Actor
from tests.cases.batches.bulk import decided, undone
from tests.cases.intakes.test_landing import landed
from tests.cases.world import decide_on, merge_and_settle, row


@pytest.fixture
def blocks(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


@pytest.fixture
def allows(db: None) -> Watchlist:
    return Watchlist.objects.get(slug="all-allows")


@pytest.fixture
def lea(db: None) -> Person:
    return Person.objects.create_user("lea", password="a long enough word", role=Role.LEAD)


@pytest.fixture
def tom(db: None) -> Person:
    return Person.objects.create_user("tom", password="a long enough word", role=Role.LEAD)


def see(case: Case, *values: str) -> None:
    merge_and_settle(case, *(row(value) if value[0].isdigit() else row(dns=value) for value in values))


def decide_wide(rui: Person, case: Case, kind: str, subject: str, verdict: str = "blocked") -> Decision:
    return Decision.objects.create(
        verdict=verdict,
        subject_kind=kind,
        subject=subject,
        network=subject if kind == "network" else None,
        scope="everywhere",
        made_in=case,
        reason="Wide",
        state="in force",
        proposer=rui,
        made_at=database_now(),
    )


def publish(watchlist: Watchlist, by: Person | None = None) -> Publication | None:
    actor = Actor.person(by) if by else Actor.clock("test")
    return publishing.publish(actor=actor, watchlist=watchlist, why="A test", by=by)


def values_of(publication: Publication | None) -> list[str]:
    assert publication is not None
    with transaction.atomic():
        return [each.value for each in entries_of(publication)]


def block_many(rui: Person, case: Case, count: int) -> None:
    names = [f"n{number:02}.example" for number in range(count)]
    see(case, *names)
    for name in names:
        decide_on(rui, case, name)


def test_a_version_keeps_its_entries_whatever_comes_later(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "b.example")
    decision = decide_on(rui, case, "a.example")
    first = publish(blocks)
    undo(actor=rui, decision=decision)
    decide_on(rui, case, "b.example")
    second = publish(blocks)
    assert (values_of(first), values_of(second)) == (["a.example"], ["b.example"])
    assert second is not None
    assert (second.number, second.added, second.removed, second.entries) == (2, 1, 1, 1)


def test_nothing_is_published_when_nothing_has_changed(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    assert publish(blocks) is not None
    assert publish(blocks) is None
    assert Publication.objects.count() == 1


def test_the_same_entries_have_the_same_hash(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    decide_on(rui, case, "b.example")
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="b.example was a mistake")
    assert first is not None
    assert (back.number, back.sha256, values_of(back)) == (3, first.sha256, ["a.example"])


def test_the_ledger_tells_every_publication(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    made = publish(blocks)
    entry = Entry.objects.get(event="watchlists:publication:made")
    assert made is not None
    assert entry.content["after"] == {
        "number": 1,
        "entries": 1,
        "added": 1,
        "removed": 0,
        "sha256": made.sha256,
    }


def test_a_checkpoint_is_made_before_a_publication(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    made = Entry.objects.get(event="watchlists:publication:made")
    assert Checkpoint.objects.get().seq == made.seq - 1


def test_without_a_key_a_list_is_published_and_the_log_says_so(
    case: Case, rui: Person, blocks: Watchlist, settings: Any
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": "not a key"})
    with capture_logs() as logs:
        made = publish(blocks)
    assert (values_of(made), Checkpoint.objects.count()) == (["a.example"], 0)
    assert [(log["event"], log["watchlist"]) for log in logs] == [("published_unsealed", "all-blocks")]


def test_two_versions_are_compared_whichever_they_are(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "b.example", "c.example")
    for value in ("a.example", "b.example", "c.example"):
        decide_on(rui, case, value)
        publish(blocks)
    found = difference(blocks, 1, 3, 1)
    assert ([each.value for each in found.added], found.added_count) == (["b.example"], 2)
    assert difference(blocks, 3, 1, 10).removed_count == 2


def test_what_has_left_is_known_with_its_moment(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decision = decide_on(rui, case, "a.example")
    publish(blocks)
    undo(actor=rui, decision=decision)
    second = publish(blocks)
    assert second is not None
    with transaction.atomic():
        (gone,) = gone_before(second)
    assert (gone.entry.value, gone.at) == ("a.example", second.made_at)


def test_a_rolled_back_list_waits_until_somebody_resumes_it(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    decide_on(rui, case, "b.example")
    publish(blocks)
    publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    with pytest.raises(CannotPublish, match="paused: Rolled back to version 1"):
        publish(blocks)
    actions.resume(actor=lea, watchlist=blocks)
    assert values_of(publish(blocks)) == ["a.example", "b.example"]


# Contradictions


def test_a_block_stays_although_a_case_allows_it_and_is_told(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example")
    decide_on(rui, case, "a.example", "blocked", "everywhere")
    decide_on(rui, case, "a.example", "allowed", "case")
    assert values_of(publish(blocks)) == ["a.example"]
    (conflict,) = blocks.conflicts.all()
    assert (conflict.value, conflict.left_out) == ("a.example", False)


def test_an_allow_that_a_case_blocks_is_left_out(case: Case, rui: Person, allows: Watchlist):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example", "allowed", "everywhere")
    decide_on(rui, case, "b.example", "allowed", "everywhere")
    decide_on(rui, case, "a.example", "blocked", "case")
    assert values_of(publish(allows)) == ["b.example"]
    (conflict,) = allows.conflicts.all()
    assert (conflict.value, conflict.left_out) == ("a.example", True)


def test_an_exception_within_a_wide_block_is_told_and_the_exception_itself_may_leave(
    case: Case, rui: Person, blocks: Watchlist, allows: Watchlist
):
    see(case, "ok.a.example")
    decide_wide(rui, case, "below", "a.example")
    decide_on(rui, case, "ok.a.example", "allowed", "everywhere")
    assert values_of(publish(blocks)) == ["a.example"]
    assert [(each.value, each.left_out) for each in blocks.conflicts.all()] == [("a.example", False)]
    assert values_of(publish(allows)) == ["ok.a.example"]


@pytest.mark.parametrize(
    ("network", "allowed", "leaves"),
    [
        ("203.0.113.0/24", "203.0.113.77", False),
        ("203.0.113.0/24", "203.0.114.1", True),
        ("2606:4700::/32", "2606:4700::1111", False),
    ],
)
def test_a_network_with_an_allow_inside_never_leaves(
    case: Case, rui: Person, blocks: Watchlist, network: str, allowed: str, leaves: bool
):
    see(case, allowed)
    decide_wide(rui, case, "network", network)
    decide_on(rui, case, allowed, "allowed", "everywhere")
    assert values_of(publish(blocks)) == ([network] if leaves else [])


@pytest.mark.parametrize("inside", ["10.1.2.3", "192.168.0.0/16", "169.254.1.1", "fe80::1", "168.63.129.16"])
def test_private_and_reserved_ranges_never_leave(case: Case, rui: Person, blocks: Watchlist, inside: str):
    if "/" in inside:
        decide_wide(rui, case, "network", inside)
    else:
        see(case, inside) if inside[0].isdigit() else merge_and_settle(case, row(inside))
        decide_on(rui, case, inside)
    assert values_of(publish(blocks)) == []
    (conflict,) = blocks.conflicts.all()
    assert (conflict.left_out, conflict.why) == (True, "a private or reserved range")


def test_a_name_may_widen_only_when_nothing_below_it_is_undecided(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "cdn.a.example", "b.example")
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "b.example")
    with transaction.atomic():
        compute(Rule.of(blocks))
        found = {each.value: each.may_widen for each in wanted()}
    assert found == {"a.example": False, "b.example": True}


# Rules


def test_a_list_takes_what_a_named_case_decided(case: Case, rui: Person, lea: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example", "blocked", "case")
    decide_on(rui, case, "b.example", "blocked", "everywhere")
    made = actions.add_watchlist(
        actor=lea,
        slug="of-the-case",
        title="Of the case",
        about="",
        verdict="blocked",
        kinds=["name"],
        scopes=["everywhere", "case"],
        cases=[case],
    )
    assert values_of(publish(made)) == ["a.example", "b.example"]


def test_a_rule_without_kinds_is_refused_at_its_field(blocks: Watchlist, lea: Person):
    with pytest.raises(actions.Refused) as refused:
        actions.change_rule(
            actor=lea, watchlist=blocks, title="x", about="", kinds=[], scopes=["everywhere"], cases=[]
        )
    assert refused.value.field == "kinds"


# Holding


def narrow(blocks: Watchlist, lea: Person) -> None:
    actions.change_rule(
        actor=lea, watchlist=blocks, title="x", about="", kinds=["address"], scopes=["everywhere"], cases=[]
    )


def test_a_rule_that_empties_a_list_is_held_for_another_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    held = publish(blocks, by=lea)
    assert held is not None
    assert (held.state, held.number, held.removed) == ("held for a second person"[:4], None, 20)
    with pytest.raises(CannotPublish, match="another person"):
        publishing.release(actor=lea, publication=held)
    released = publishing.release(actor=tom, publication=held)
    assert (released.number, released.approver, values_of(released)) == (2, tom, [])


def test_what_the_clock_holds_is_not_released_by_who_changed_the_rule(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    held = publish(blocks)
    assert held is not None
    actions.change_rule(
        actor=tom, watchlist=blocks, title="y", about="", kinds=["address"], scopes=["everywhere"], cases=[]
    )
    with pytest.raises(CannotPublish, match="another person"):
        publishing.release(actor=lea, publication=held)
    assert publishing.release(actor=tom, publication=held).approver == tom


def test_a_held_roll_back_is_not_released_while_all_publishing_is_paused(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "9.9.9.9")
    decide_on(rui, case, "9.9.9.9")
    publish(blocks)
    block_many(rui, case, 40)
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    actions.pause_all(actor=lea, why="Firewall migration")
    with pytest.raises(CannotPublish, match="Firewall migration"):
        publishing.release(actor=tom, publication=held)


def test_what_was_held_and_has_moved_is_not_released(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    held = publish(blocks, by=lea)
    assert held is not None
    see(case, "9.9.9.9")
    decide_on(rui, case, "9.9.9.9")
    with pytest.raises(CannotPublish, match="changed since"):
        publishing.release(actor=tom, publication=held)


def test_single_decisions_may_take_a_list_apart(case: Case, rui: Person, blocks: Watchlist):
    block_many(rui, case, 20)
    publish(blocks)
    for decision in Decision.objects.in_force():
        undo(actor=rui, decision=decision)
    made = publish(blocks)
    assert made is not None
    assert (made.state, made.entries) == ("published", 0)


def test_a_bulk_decision_that_takes_a_list_apart_is_held(case: Case, rui: Person, blocks: Watchlist):
    see(case, *(f"9.9.9.{number}" for number in range(20)))
    batch = decided(rui, case)
    publish(blocks)
    undone(rui, batch)
    held = publish(blocks)
    assert held is not None
    assert (held.state, held.removed) == ("held", 20)


def test_a_bulk_decision_in_the_place_of_others_is_held(case: Case, rui: Person, blocks: Watchlist):
    block_many(rui, case, 20)
    publish(blocks)
    decided(rui, case, verdict="allowed")
    held = publish(blocks)
    assert held is not None
    assert (held.state, held.removed) == ("held", 20)


def test_a_list_taken_in_in_the_place_of_others_is_held(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    block_many(rui, case, 20)
    publish(blocks)
    subjects = Decision.objects.in_force().values_list("subject", flat=True)
    landed(rui, "\n".join(subjects), "allowed", takes_over=True)
    for proposal in Proposal.objects.waiting():
        approve(actor=lea, proposal=proposal)
    held = publish(blocks)
    assert held is not None
    assert (held.state, held.removed) == ("held", 20)


def test_fewer_than_twenty_entries_are_never_held(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    block_many(rui, case, 19)
    publish(blocks)
    narrow(blocks, lea)
    made = publish(blocks)
    assert made is not None
    assert made.state == "published"


def test_the_clock_holds_the_same_thing_once(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    block_many(rui, case, 20)
    publish(blocks)
    narrow(blocks, lea)
    first, second = publish(blocks), publish(blocks)
    assert first == second
    assert Entry.objects.filter(event="watchlists:publication:held").count() == 1


# Time


def age(seconds: int) -> None:
    """As if all decisions had been made so long ago."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_decision SET made_at = made_at - make_interval(secs => %s)", [seconds])


@pytest.mark.parametrize(("seconds", "published"), [(10, 0), (61, 1)])
def test_a_list_is_published_a_minute_after_the_last_decision(
    case: Case, rui: Person, seconds: int, published: int
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    age(seconds)
    due.publish_due()
    assert Publication.objects.filter(watchlist__slug="all-blocks").count() == published


def test_decisions_that_never_rest_are_published_after_five_minutes(case: Case, rui: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    age(301)
    decide_on(rui, case, "b.example")
    due.publish_due()
    assert values_of(Publication.objects.get(watchlist__slug="all-blocks")) == ["a.example", "b.example"]


def test_the_switch_pauses_everything(case: Case, rui: Person, blocks: Watchlist, lea: Person):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    age(100)
    actions.pause_all(actor=lea, why="Firewall migration")
    assert due.publish_due() == []
    with pytest.raises(CannotPublish, match="Firewall migration"):
        publish(blocks)
    actions.resume_all(actor=lea)
    assert due.publish_due()


def test_a_list_that_cannot_be_published_keeps_no_other_waiting(
    case: Case, rui: Person, monkeypatch: pytest.MonkeyPatch
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "b.example", verdict="allowed")
    age(100)

    def stumbling(rule: Rule) -> None:
        if rule.verdict == "blocked":
            raise OperationalError("no space left on device")
        compute(rule)

    monkeypatch.setattr("cases.watchlists.publishing.compute", stumbling)
    (made,) = due.publish_due()
    assert made.watchlist.slug == "all-allows"


def test_a_version_is_called_as_its_list_was_called_then(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    assert first is not None
    asked: dict[str, Any] = {"kinds": blocks.subject_kinds, "scopes": blocks.scopes, "cases": []}
    actions.change_rule(actor=lea, watchlist=blocks, title="Renamed", about="Anew", **asked)
    first.refresh_from_db()
    assert heading(first).title == "All blocks"
    assert heading(first).about == blocks.about


def held_by_roll_back(rui: Person, case: Case, blocks: Watchlist, lea: Person) -> Publication:
    """Of a version with fewer entries: it would lose more than half."""
    see(case, "9.9.9.9")
    decide_on(rui, case, "9.9.9.9")
    publish(blocks)
    block_many(rui, case, 40)
    publish(blocks)
    return publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")


def test_a_held_publication_whose_place_is_taken_is_told_in_the_ledger(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    held_by_roll_back(rui, case, blocks, lea)
    publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="Again")
    entry = Entry.objects.get(event="watchlists:publication:refused")
    assert entry.content["reason"] == "Another publication has taken its place."


def test_a_held_publication_that_has_nothing_to_say_any_more_is_told_in_the_ledger(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    held = held_by_roll_back(rui, case, blocks, lea)
    actions.resume(actor=lea, watchlist=blocks)
    assert publish(blocks) is None
    held.refresh_from_db()
    assert held.state == "refused"
    entry = Entry.objects.get(event="watchlists:publication:refused")
    assert entry.content["reason"] == "There is nothing to publish any more."


# What may come back


def test_our_own_ranges_do_not_come_back_through_a_roll_back(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, settings: Any
):
    see(case, "9.9.9.9", "a.example", "vpn.contoso.com")
    decide_on(rui, case, "9.9.9.9")
    decide_on(rui, case, "vpn.contoso.com")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="9.9.9.9"))
    undo(actor=rui, decision=Decision.objects.get(subject="vpn.contoso.com"))
    decide_on(rui, case, "a.example")
    publish(blocks)
    own = {"own_networks": "9.9.9.0/24", "own_names": "contoso.com"}
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update=own)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert values_of(back) == []
    assert {each.why for each in blocks.conflicts.all()} == {
        "one of our own ranges",
        "one of our own names",
    }


def test_a_block_comes_back_against_an_allow_only_with_a_second_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    decide_on(rui, case, "a.example", verdict="allowed")
    decide_on(rui, case, "b.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    assert held.held_because == "a.example would come back against a decision that is in force"
    assert values_of(publishing.release(actor=tom, publication=held)) == ["a.example"]


def test_an_allow_does_not_come_back_against_a_block(case: Case, rui: Person, allows: Watchlist, lea: Person):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example", verdict="allowed")
    decide_on(rui, case, "b.example", verdict="allowed")
    publish(allows)
    decide_on(rui, case, "a.example")
    publish(allows)
    with pytest.raises(CannotPublish, match="nothing may be published"):
        publishing.roll_back(actor=lea, watchlist=allows, number=1, why="A mistake")


AROUND = pytest.mark.parametrize(("value", "kind", "around"), [
    ("a.x.example", "below", "x.example"), ("9.9.9.9", "network", "9.9.9.0/24"),
])  # fmt: skip


@AROUND
def test_an_allow_that_was_withdrawn_does_not_come_back_inside_what_is_blocked_since(
    case: Case, rui: Person, allows: Watchlist, lea: Person, value: str, kind: str, around: str
):
    see(case, value, "other.example")
    decide_on(rui, case, value, verdict="allowed")
    publish(allows)
    undo(actor=rui, decision=Decision.objects.get(subject=value))
    decide_wide(rui, case, kind, around)
    decide_on(rui, case, "other.example", verdict="allowed")
    publish(allows)
    back = publishing.roll_back(actor=lea, watchlist=allows, number=1, why="A mistake")
    assert values_of(back) == []
    (conflict,) = allows.conflicts.all()
    assert (conflict.value, conflict.left_out) == (value, True)


@AROUND
def test_a_block_that_was_withdrawn_comes_back_inside_an_allow_only_with_a_second_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, value: str, kind: str, around: str
):
    see(case, value, "other.example")
    decide_on(rui, case, value)
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject=value))
    decide_wide(rui, case, kind, around, "allowed")
    decide_on(rui, case, "other.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    assert held.held_because == f"{value} would come back against a decision that is in force"


@AROUND
def test_an_exception_that_was_decided_anew_comes_back(
    case: Case, rui: Person, allows: Watchlist, lea: Person, value: str, kind: str, around: str
):
    see(case, value, "other.example")
    decide_on(rui, case, value, verdict="allowed")
    publish(allows)
    undo(actor=rui, decision=Decision.objects.get(subject=value))
    decide_on(rui, case, "other.example", verdict="allowed")
    publish(allows)
    decide_wide(rui, case, kind, around)
    decide_on(rui, case, value, verdict="allowed")
    back = publishing.roll_back(actor=lea, watchlist=allows, number=1, why="A mistake")
    assert values_of(back) == [value]


def test_a_held_roll_back_is_not_released_when_more_speaks_against_it_by_now(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    wide = decide_wide(rui, case, "below", "relay.example")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    Decision.objects.filter(pk=wide.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_on(rui, case, "b.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.held_because == "*.relay.example would come back and cover more than one name or address"
    decide_on(rui, case, "a.example", verdict="allowed")
    with pytest.raises(
        CannotPublish, match=r"a\.example would come back against a decision that is in force"
    ):
        publishing.release(actor=tom, publication=held)
    anew = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert publishing.release(actor=tom, publication=anew).state == "published"


def test_a_held_roll_back_of_a_text_that_looks_like_sentences_is_released(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "b.example")
    text = decide_wide(rui, case, "text", "odd. name")
    publish(blocks)
    Decision.objects.filter(pk=text.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_wide(rui, case, "text", "odd. name", "allowed")
    decide_on(rui, case, "b.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.held_because == "odd. name would come back against a decision that is in force"
    assert values_of(publishing.release(actor=tom, publication=held)) == ["odd. name"]


def test_conflicts_are_those_of_a_roll_back_only_once_it_is_released(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, tom: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    decide_on(rui, case, "a.example", verdict="allowed")
    decide_on(rui, case, "b.example")
    decide_on(rui, case, "b.example", verdict="allowed", scope="case")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert [each.value for each in blocks.conflicts.all()] == ["b.example"]
    publishing.release(actor=tom, publication=held)
    assert [each.value for each in blocks.conflicts.all()] == ["a.example"]


@pytest.mark.parametrize(("kind", "value", "told"), [
    ("below", "relay.example", "*.relay.example"), ("network", "9.9.9.0/24", "9.9.9.0/24"),
])  # fmt: skip
def test_a_wide_block_comes_back_only_with_a_second_person(
    case: Case, rui: Person, blocks: Watchlist, lea: Person, kind: str, value: str, told: str
):
    see(case, "a.example")
    wide = decide_wide(rui, case, kind, value)
    publish(blocks)
    Decision.objects.filter(pk=wide.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_on(rui, case, "a.example")
    publish(blocks)
    held = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert held.state == "held"
    assert held.held_because == f"{told} would come back and cover more than one name or address"


def test_a_network_with_an_allow_inside_does_not_come_back(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example", "9.9.9.9")
    wide = decide_wide(rui, case, "network", "9.9.9.0/24")
    publish(blocks)
    Decision.objects.filter(pk=wide.pk).update(state="withdrawn", ended_at=database_now(), ended_by=rui)
    decide_on(rui, case, "a.example")
    decide_on(rui, case, "9.9.9.9", verdict="allowed")
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert (back.state, values_of(back)) == ("published", [])


def test_a_name_that_comes_back_takes_nothing_undecided_along(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    see(case, "new.a.example")
    decide_on(rui, case, "b.example")
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    with transaction.atomic():
        (entry,) = entries_of(back)
    assert (entry.value, entry.may_widen) == ("a.example", False)


def indicators_of(publication: Publication) -> dict[str, bool]:
    """Each id with whether it is revoked."""
    text = BytesIO()
    with transaction.atomic():
        entries, gone = read_for(Stix, publication)
        render(Stix, heading(publication), entries, text, gone)
    objects = stix2.parse(text.getvalue().decode(), version="2.1").objects
    return {each["id"]: each.get("revoked", False) for each in objects if each["type"] == "indicator"}


def test_what_comes_back_is_a_new_indicator_because_being_revoked_is_for_ever(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    second = publish(blocks)
    third = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    assert first is not None
    assert second is not None
    (old,) = indicators_of(first)
    assert indicators_of(second) == {old: True}
    told = indicators_of(third)
    (new,) = (each for each, is_revoked in told.items() if not is_revoked)
    assert told == {old: True, new: False}
    assert indicators_of(third) == told


def test_what_came_back_is_looked_for_only_where_the_format_tells_it(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    see(case, "a.example")
    decide_on(rui, case, "a.example")
    publish(blocks)
    undo(actor=rui, decision=Decision.objects.get(subject="a.example"))
    publish(blocks)
    back = publishing.roll_back(actor=lea, watchlist=blocks, number=1, why="A mistake")
    looked = {}
    for format in (PlainText, Stix):
        with CaptureQueriesContext(connection) as queries:
            taken = actions.download(
                actor=Actor.person(lea), watchlist=blocks, format=format, publication=back
            )
        taken.content.close()
        looked[format.slug] = any("e.added_in > o.removed_in" in each["sql"] for each in queries)
    assert looked == {"plain-text": False, "stix": True}


def test_an_entry_that_only_may_widen_no_more_keeps_its_indicator(case: Case, rui: Person, blocks: Watchlist):
    see(case, "a.example", "b.example")
    decide_on(rui, case, "a.example")
    first = publish(blocks)
    see(case, "new.a.example")
    decide_on(rui, case, "b.example")
    second = publish(blocks)
    assert first is not None
    assert second is not None
    assert indicators_of(first).items() <= indicators_of(second).items()


def told(event: str) -> list[tuple[object, object]]:
    found = Entry.objects.filter(event=event).order_by("seq")
    return [(entry.content["before"], entry.content["after"]) for entry in found]


def test_a_refusal_pauses_the_list_and_the_ledger_says_so(
    case: Case, rui: Person, blocks: Watchlist, lea: Person
):
    held = held_by_roll_back(rui, case, blocks, lea)
    first = {"paused": True, "why": "Rolled back to version 1."}
    publishing.refuse(actor=lea, publication=held, why="Not now")
    assert told("watchlists:watchlist:paused") == [
        ({"paused": False}, first),
        (first, {"paused": True, "why": "A publication was refused: Not now"}),
    ]
    actions.resume(actor=lea, watchlist=blocks)
    assert told("watchlists:watchlist:resumed")[0][1] == {"paused": False}


def test_a_second_pause_tells_the_first_ones_reason(lea: Person, tom: Person):
    actions.pause_all(actor=lea, why="Firewall migration")
    actions.pause_all(actor=tom, why="Still not done")
    actions.pause_all(actor=tom, why="Still not done")
    actions.resume_all(actor=lea)
    first = {"paused": True, "by": "lea", "why": "Firewall migration"}
    second = {"paused": True, "by": "tom", "why": "Still not done"}
    assert told("watchlists:publishing:paused") == [({"paused": False}, first), (first, second)]
    assert told("watchlists:publishing:resumed") == [(second, {"paused": False})]


def test_a_rule_that_is_saved_as_it_was_is_no_change(blocks: Watchlist, lea: Person):
    blocks.refresh_from_db()
    before = blocks.rule_changed_at
    actions.change_rule(
        actor=lea,
        watchlist=blocks,
        title=blocks.title,
        about=blocks.about,
        kinds=blocks.subject_kinds,
        scopes=blocks.scopes,
        cases=[],
    )
    blocks.refresh_from_db()
    assert (blocks.rule_changed_at, Entry.objects.count()) == (before, 0)


def test_revoking_a_consumer_says_what_it_was(blocks: Watchlist, lea: Person):
    consumer, _ = actions.add_consumer(actor=lea, watchlist=blocks, name="fw", format="plain-text")
    actions.revoke_consumer(actor=lea, consumer=consumer)
    assert told("watchlists:consumer:revoked") == [({"revoked": False}, {"revoked": True})]
