from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from footprint.accounts.models import Person
from footprint.ledger.events import PHRASES, Event
from footprint.ledger.models import Checkpoint, Entry, Head
from footprint.ledger.record import ORIGIN, Actor, NestedChange, Origin, Subject, UntoldChange, change
from tests.cases.beside import Beside, held_open, wait_until_blocked
from tests.footprint.ledger.links import Link, follow
from tests.house import FreshDatabase
from tests.watched_changes import SilentChange


def write(*names: str, actor: str = "tests") -> None:
    with change(actor=Actor.command(actor)) as ledger:
        for name in names:
            ledger.add(
                Event.CASE_OPENED, Subject("case", "1", name), case_number=1, reason=f"because of {name}"
            )


def write_and_fail() -> None:
    with change(actor=Actor.command("tests")) as ledger:
        ledger.add(Event.CASE_OPENED, Subject("case", "2", "lost"))
        raise ZeroDivisionError


def write_inside() -> None:
    with change(actor=Actor.command("outer")) as ledger:
        ledger.add(Event.CASE_OPENED, Subject("case", "1", "outer"))
        write("inner")


def test_what_an_entry_speaks_of_may_be_as_long_as_a_name(db: None):
    longest = ".".join(["a" * 63] * 4)[:253]
    with change(actor=Actor.command("tests")) as ledger:
        ledger.add(Event.CASE_OPENED, Subject("value", longest, longest))
    assert Entry.objects.get().subject_id == longest


def links() -> list[Link]:
    return [Link(entry.seq, entry.text, bytes(entry.hash)) for entry in Entry.objects.order_by("seq")]


def assert_whole(entries: int) -> None:
    """No gap, and the head is the last entry of a chain that holds."""
    seq, digest = follow(links())
    head = Head.objects.get()
    assert (seq, head.seq, bytes(head.hash)) == (entries, entries, digest)


def test_entries_of_one_change_follow_each_other(db: None):
    write("one", "two")
    write("three")
    assert [entry.subject_name for entry in Entry.objects.order_by("seq")] == ["one", "two", "three"]
    assert_whole(3)


def test_an_entry_says_who_what_when_why_and_from_where(db: None):
    person = Person.objects.create(username="rui", first_name="Rui", last_name="Alves")
    token = ORIGIN.set(Origin("request-7", "198.51.100.7"))
    try:
        with change(actor=Actor.person(person)) as ledger:
            ledger.add(
                Event.DECISION_MADE,
                Subject("decision", "12", "block of a.example, everywhere"),
                case_number=3,
                before={"verdict": "undecided"},
                after={"verdict": "blocked"},
                reason="Beacons",
            )
    finally:
        ORIGIN.reset(token)
    entry = Entry.objects.get()
    content = entry.content
    assert content.pop("at").endswith("Z")
    assert content == {
        "seq": 1,
        "actor": {"kind": "person", "id": str(person.pk), "name": "Rui Alves"},
        "event": "cases:decision:made",
        "subject": {"kind": "decision", "id": "12", "name": "block of a.example, everywhere"},
        "case": 3,
        "before": {"verdict": "undecided"},
        "after": {"verdict": "blocked"},
        "reason": "Beacons",
        "request_id": "request-7",
        "address": "198.51.100.7",
    }
    assert (entry.actor_name, entry.event, entry.case_number) == ("Rui Alves", "cases:decision:made", 3)


HOSTILE = 'tab\t, line\n, \\N, \\., "quoted", back\\slash, return\r, \u202e and ü'


def test_whatever_a_person_writes_stands_in_the_columns_as_in_the_text(db: None):
    with change(actor=Actor("person", HOSTILE, HOSTILE)) as ledger:
        ledger.add(Event.CASE_OPENED, Subject("case", "1", HOSTILE), reason=HOSTILE)
    entry = Entry.objects.get()
    assert (entry.actor_id, entry.actor_name, entry.subject_name, entry.reason) == (HOSTILE,) * 4
    assert entry.content["reason"] == HOSTILE
    assert_whole(1)


def test_times_never_go_back(db: None):
    for number in range(5):
        write(str(number))
    times = list(Entry.objects.order_by("seq").values_list("at", flat=True))
    assert times == sorted(times)


def test_a_change_that_notes_nothing_writes_nothing(db: None):
    with change(actor=Actor.command("tests")):
        pass
    assert_whole(0)


def test_a_change_that_fails_leaves_no_entry_and_no_gap(fresh_database: FreshDatabase):
    write("before")
    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    write("after")
    assert [entry.subject_name for entry in Entry.objects.order_by("seq")] == ["before", "after"]
    assert_whole(2)


def test_an_outer_rollback_takes_entry_and_head_back_together(fresh_database: FreshDatabase):
    write("before")
    with transaction.atomic():
        write("lost")
        transaction.set_rollback(True)
    write("after")
    assert_whole(2)


def test_a_change_inside_a_change_is_refused_and_writes_nothing(db: None):
    with pytest.raises(NestedChange):
        write_inside()
    assert_whole(0)


def test_after_a_refused_change_the_next_one_is_taken(db: None):
    with pytest.raises(NestedChange):
        write_inside()
    write("next")
    assert_whole(1)


def test_changes_on_two_connections_at_once_leave_no_gap(fresh_database: FreshDatabase):
    def append_often(actor: str) -> None:
        for number in range(20):
            write(f"{actor} {number}", "and one more", actor=actor)

    both = [Beside(partial(append_often, actor)) for actor in ("first", "second")]
    for each in both:
        each.result()
    assert_whole(80)


def test_whoever_appends_second_waits_and_comes_after(fresh_database: FreshDatabase):
    with held_open(lambda: write("first")):
        second = Beside(lambda: write("second"))
        wait_until_blocked()
    second.result()
    entries = list(Entry.objects.order_by("seq"))
    assert [entry.subject_name for entry in entries] == ["first", "second"]
    assert entries[0].at < entries[1].at
    assert_whole(2)


def test_a_change_that_fails_while_another_waits_leaves_no_gap(fresh_database: FreshDatabase):
    def write_and_fail() -> None:
        write("lost")
        transaction.set_rollback(True)

    with held_open(write_and_fail):
        second = Beside(lambda: write("kept"))
        wait_until_blocked()
    second.result()
    assert Entry.objects.get().subject_name == "kept"
    assert_whole(1)


def sql(statement: str) -> Callable[[], object]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


def save_changed_entry() -> None:
    entry = Entry.objects.get(seq=1)
    entry.reason = "changed"
    entry.save()


FORBIDDEN: dict[str, Callable[[], object]] = {
    "UPDATE by SQL": sql("UPDATE ledger_entry SET reason = 'changed'"),
    "UPDATE of no row": sql("UPDATE ledger_entry SET reason = 'changed' WHERE seq = -1"),
    "DELETE by SQL": sql("DELETE FROM ledger_entry WHERE seq = 1"),
    "TRUNCATE": sql("TRUNCATE ledger_entry"),
    "TRUNCATE with others": sql("TRUNCATE ledger_entry, ledger_head CASCADE"),
    "upsert": sql("""
        INSERT INTO ledger_entry SELECT * FROM ledger_entry WHERE seq = 1
        ON CONFLICT (seq) DO UPDATE SET reason = 'changed'
    """),
    "MERGE": sql("""
        MERGE INTO ledger_entry e USING (SELECT 1 AS seq) one ON e.seq = one.seq
        WHEN MATCHED THEN UPDATE SET reason = 'changed'
    """),
    "UPDATE past replication triggers": sql(
        "SET LOCAL session_replication_role = replica; UPDATE ledger_entry SET reason = 'changed'"
    ),
    "queryset.update": lambda: Entry.objects.update(reason="changed"),
    "queryset.delete": lambda: Entry.objects.all().delete(),
    "instance.save": save_changed_entry,
    "instance.delete": lambda: Entry.objects.get(seq=1).delete(),
    "bulk_update": lambda: Entry.objects.bulk_update([Entry(seq=1, reason="changed")], ["reason"]),
    "bulk_create that updates": lambda: Entry.objects.bulk_create(
        [Entry.objects.get(seq=1)], update_conflicts=True, update_fields=["reason"], unique_fields=["seq"]
    ),
    "update_or_create": lambda: Entry.objects.update_or_create(seq=1, defaults={"reason": "changed"}),
    "UPDATE inside a query": sql(
        "WITH changed AS (UPDATE ledger_entry SET reason = 'x' RETURNING seq) SELECT * FROM changed"
    ),
    "DELETE by a join": sql("DELETE FROM ledger_entry USING ledger_head WHERE ledger_entry.seq > 0"),
    "a second entry of one number": sql("INSERT INTO ledger_entry SELECT * FROM ledger_entry WHERE seq = 1"),
    "queryset._raw_delete": lambda: Entry.objects.all()._raw_delete("default"),
    "instance.save of a field": lambda: Entry.objects.get(seq=1).save(update_fields=["reason"]),
    "UPDATE of a checkpoint": sql("UPDATE ledger_checkpoint SET seq = 0"),
    "DELETE of a checkpoint": sql("DELETE FROM ledger_checkpoint"),
    "TRUNCATE of checkpoints": sql("TRUNCATE ledger_checkpoint"),
    "checkpoints.update": lambda: Checkpoint.objects.update(seq=0),
    "checkpoints.delete": lambda: Checkpoint.objects.all()._raw_delete("default"),
    "DELETE of the head": sql("DELETE FROM ledger_head"),
    "TRUNCATE of the head": sql("TRUNCATE ledger_head"),
    "head.delete": lambda: Head.objects.all().delete(),
    "head set back": lambda: Head.objects.update(seq=F("seq") - 1),
    "head left where it is with another hash": lambda: Head.objects.update(hash=b"x" * 32),
    "a second head": lambda: Head.objects.create(pk=2, seq=9, hash=b"x" * 32),
}


@pytest.mark.parametrize("attempt", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_what_is_written_cannot_be_changed_by(db: None, attempt: Callable[[], object]):
    write("one", "two")
    before = links()
    with pytest.raises(DatabaseError), transaction.atomic():
        attempt()
    assert links() == before
    assert_whole(2)


def test_adding_what_is_there_already_leaves_it_as_it_is(db: None):
    write("one")
    before = links()
    changed = Entry.objects.get(seq=1)
    changed.reason = "changed"
    Entry.objects.bulk_create([changed], ignore_conflicts=True)
    assert links() == before
    assert Entry.objects.get().reason == "because of one"


def change_in_silence() -> None:
    with change(actor=Actor.command("tests")):
        Person.objects.create(username="eve")


def test_a_change_that_writes_rows_and_no_entry_fails_any_test_here(db: None):
    with pytest.raises(SilentChange, match="accounts_person"):
        change_in_silence()


def test_every_event_has_a_phrase_for_the_page():
    assert set(PHRASES) == set(Event)
    assert len({event.value for event in Event}) == len(Event)


@pytest.mark.parametrize("event", list(Event))
def test_events_are_named_room_subject_what(event: Event):
    room, subject, what = event.value.split(":")
    assert room
    assert subject
    assert what


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, {"title": "b"}), ({"title": "a"}, None), ({"title": "a"}, {"title": "a"}), (None, None)],
)
def test_a_change_that_does_not_say_from_what_to_what_is_refused(
    db: None, before: dict[str, object] | None, after: dict[str, object] | None
):
    with pytest.raises(UntoldChange), change(actor=Actor.command("tests")) as ledger:
        ledger.add(Event.CASE_CHANGED, Subject("case", "1", "a"), before=before, after=after)
    assert not Entry.objects.exists()
