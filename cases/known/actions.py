"""Loading, switching and removing known lists: one transaction each, ledger included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.db import connection

from cases.clock import database_now
from cases.known.reading import Unread, read_entry
from cases.known.sources import CannotLoad, ListSource
from cases.models import KnownList
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change

# Any number no other advisory lock of this database uses: two loads at once would double the entries.
_LOAD_LOCK = 7_305_801_443_613
_LINES_AT_ONCE = 5_000
# How many unreadable lines of a list are kept to be told.
_TOLD = 20


@dataclass(slots=True)
class Loaded:
    """What became of one list. `unread` are the first lines that nobody could read, with why."""

    known_list: KnownList
    entries: int = 0
    unread_count: int = 0
    unread: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Loading:
    loaded: list[Loaded] = field(default_factory=list)
    # Lists that are already here, letter by letter.
    unchanged: int = 0


def load_lists(*, actor: Actor, sources: Iterable[ListSource], again: bool = False) -> Loading:
    """Takes each list in, in the place of what it held before. A list that has not changed is left alone."""
    loading = Loading()
    with change(actor=actor) as ledger:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOAD_LOCK])
            cursor.execute(_STAGE)
        known = {each.slug: each for each in KnownList.objects.all()}
        for source in sources:
            before = known.get(source.slug)
            _check_origin(source, before)
            if before is not None and before.sha256 == source.sha256 and not again:
                loading.unchanged += 1
            else:
                loading.loaded.append(_stage(source, before))
        if loading.loaded:
            _save(loading.loaded)
            ledger.add(
                Event.KNOWN_LISTS_LOADED,
                _subject_of(*(each.known_list for each in loading.loaded)),
                after={"lists": {each.known_list.slug: _in_words(each) for each in loading.loaded}},
            )
    return loading


def _check_origin(source: ListSource, before: KnownList | None) -> None:
    if before is not None and before.origin != source.origin:
        raise CannotLoad(
            f"There is a list {source.slug} already, from {before.get_origin_display()}. "
            "Choose another slug, or remove that list first."
        )


def _stage(source: ListSource, before: KnownList | None) -> Loaded:
    """Reads the list. Its row, if it has one, is written at the very end only: people may switch it."""
    known_list = before or KnownList(slug=source.slug, entry_count=0)
    known_list.title, known_list.about, known_list.category = source.title, source.about, source.category
    known_list.version, known_list.origin, known_list.sha256 = source.version, source.origin, source.sha256
    known_list.loaded_at = database_now()
    if before is None:
        known_list.save()
    loaded = Loaded(known_list)
    lines = _copy_lines(loaded, source)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        while block := "".join(islice(lines, _LINES_AT_ONCE)):
            copy.write(block)
    if not loaded.entries:
        first = "".join(f" Line {number}: {why}" for number, why in loaded.unread[:1])
        raise CannotLoad(f"{source.slug} holds nothing that can be read.{first}")
    return loaded


def _copy_lines(loaded: Loaded, source: ListSource) -> Iterator[str]:
    """In COPY's text format. What was read holds no character that would need escaping."""
    pk = loaded.known_list.pk
    for number, line in source.lines():
        try:
            entry = read_entry(line, names_with_below=source.names_with_below)
        except Unread as problem:
            loaded.unread_count += 1
            if len(loaded.unread) < _TOLD:
                loaded.unread.append((number, str(problem)))
            continue
        loaded.entries += 1
        yield f"{pk}\t{entry.name}\t{'t' if entry.below else 'f'}\t{entry.network or _NULL}\n"


_NULL = "\\N"
_STAGE = """
    DROP TABLE IF EXISTS pg_temp.staged_known;
    CREATE TEMPORARY TABLE staged_known (
        known_list_id bigint, name text COLLATE "C", below boolean, network cidr
    ) ON COMMIT DROP
"""
_COPY = "COPY staged_known (known_list_id, name, below, network) FROM STDIN"
# In the order of the indexes, which then grow at their end: in any other order this takes five times longer.
_INSERT = """
    INSERT INTO cases_knownentry (known_list_id, name, below, network)
    SELECT known_list_id, name, below, network FROM staged_known
     GROUP BY reverse(name), network, known_list_id, name, below
     ORDER BY reverse(name), network, known_list_id
"""
_COUNT = "SELECT known_list_id, count(*) FROM cases_knownentry WHERE known_list_id = ANY(%s) GROUP BY 1"


def _save(loaded: Sequence[Loaded]) -> None:
    """Puts what was staged in the place of what the lists held. What a list says twice is kept once."""
    ids = [each.known_list.pk for each in loaded]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute("DELETE FROM cases_knownentry WHERE known_list_id = ANY(%s)", [ids])
        cursor.execute(_INSERT)
        cursor.execute(_COUNT, [ids])
        counts = dict(cursor.fetchall())
        cursor.execute("ANALYZE cases_knownentry")
    for each in loaded:
        known_list = each.known_list
        each.entries = known_list.entry_count = counts[known_list.pk]
        known_list.unread_count = each.unread_count
        known_list.save(update_fields=_SAVED)


_SAVED = (
    *("title", "about", "category", "version", "origin", "sha256", "loaded_at"),
    *("entry_count", "unread_count"),
)


def _in_words(loaded: Loaded) -> dict[str, object]:
    known_list = loaded.known_list
    return {
        "version": known_list.version,
        "category": known_list.category,
        "entries": loaded.entries,
        "unread": loaded.unread_count,
        "sha256": known_list.sha256,
    }


def _subject_of(*lists: KnownList) -> Subject:
    if len(lists) == 1:
        return Subject("known_list", lists[0].slug, lists[0].title)
    return Subject("known_list", "package", f"{len(lists)} known lists")


def switch_list(*, actor: Person, known_list: KnownList, standing: str) -> KnownList:
    """Whether the list warns or is ignored. Nothing that was decided changes with it."""
    asked = KnownList.Standing(standing)
    with change(actor=Actor.person(actor)) as ledger:
        saved = KnownList.objects.select_for_update().get(pk=known_list.pk)
        if saved.standing != asked:
            ledger.add(
                Event.KNOWN_LIST_SWITCHED,
                _subject_of(saved),
                before={"standing": saved.standing},
                after={"standing": asked.value},
            )
            saved.standing = asked
            saved.save(update_fields=["standing"])
    return saved


def remove_list(*, actor: Actor, known_list: KnownList) -> None:
    with change(actor=actor) as ledger:
        saved = KnownList.objects.select_for_update().get(pk=known_list.pk)
        saved.entries.all().delete()
        saved.delete()
        ledger.add(
            Event.KNOWN_LIST_REMOVED,
            _subject_of(saved),
            before={"entries": saved.entry_count, "sha256": saved.sha256},
        )
