"""Taking lists away, changing their rules, pausing them, and the consumers of feeds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import time, timedelta
from typing import IO

from cases.clock import database_now
from cases.models import Case
from cases.texts import bad_line
from cases.watchlists.computing import Rule, compute, wanted
from cases.watchlists.entries import heading, read_for
from cases.watchlists.formats import REGISTRY, Format, Gone, ListEntry, Published, Report
from cases.watchlists.models import Consumer, FeedToken, Publication, Publishing, Watchlist
from cases.watchlists.rendering import extension, media_type, render
from cases.watchlists.tokens import hash_of, new_token
from cases.watchlists.versions import subject_of
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.record import Actor, Subject, change

# Up to here a download stays in memory; longer ones go to a temporary file.
_IN_MEMORY = 8 * 1024 * 1024
# How long a token still works after a newer one was made.
OVERLAP = timedelta(hours=24)


class Refused(Exception):
    """Nothing was written. `field` is the form field that `message` belongs to, or empty."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(slots=True)
class Download:
    """A watchlist as it was at one moment. `content` stands at its beginning; the caller closes it."""

    content: IO[bytes]
    filename: str
    media_type: str
    report: Report
    sha256: str

    @property
    def entries(self) -> int:
        return self.report.written


def download(
    *, actor: Actor, watchlist: Watchlist, format: type[Format], publication: Publication | None = None
) -> Download:
    """Writes the list as it is now, or as published, and the entry that says who took what."""
    with ExitStack() as closed_on_failure, change(actor=actor) as ledger:
        content = closed_on_failure.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
        entries: Iterable[ListEntry]
        gone: Iterable[Gone]
        if publication is None:
            compute(Rule.of(watchlist))
            named = _unpublished(watchlist)
            entries, gone = wanted(), ()
        else:
            named = heading(publication)
            entries, gone = read_for(format, publication)
        rendered = render(format, named, entries, content, gone)
        content.seek(0)
        ledger.add(
            Event.WATCHLIST_DOWNLOADED,
            subject_of(watchlist),
            after={
                "format": format.slug,
                "publication": publication.number if publication else None,
                "entries": rendered.report.written,
                "left_out": rendered.report.left_out,
                "sha256": rendered.sha256,
            },
        )
        closed_on_failure.pop_all()
    return Download(
        content,
        f"{watchlist.slug}.{extension(format)}",
        media_type(format),
        rendered.report,
        rendered.sha256,
    )


def _unpublished(watchlist: Watchlist) -> Published:
    return Published(watchlist.slug, watchlist.title, watchlist.about, watchlist.verdict, 0, database_now())


def change_rule(
    *,
    actor: Person,
    watchlist: Watchlist,
    title: str,
    about: str,
    kinds: Sequence[str],
    scopes: Sequence[str],
    cases: Sequence[Case],
    publish_at: Sequence[time] | None = None,
) -> Watchlist:
    """Takes effect with the next publication, which is held if the list would lose more than half.

    `publish_at`: times of day in UTC, none of them for soon after each decision; None leaves it as it is.
    """
    with change(actor=Actor.person(actor)) as ledger:
        saved = Watchlist.objects.select_for_update().get(pk=watchlist.pk)
        before = _rule_in_words(saved)
        _check_rule(kinds, scopes, cases)
        saved.title, saved.about = title.strip(), about.strip()
        saved.subject_kinds, saved.scopes = list(kinds), list(scopes)
        saved.cases.set(cases)
        if publish_at is not None:
            saved.publish_at = sorted(set(publish_at))
        after = _rule_in_words(saved)
        if after == before:
            return saved
        if any(before[name] != after[name] for name in before if name != "publish_at"):
            saved.rule_changed_at = database_now()
        if any(before[name] != after[name] for name in ("kinds", "scopes", "cases")):
            # Another title must not take the rule off its author's hands.
            saved.rule_changed_by = actor
        saved.save()
        ledger.add(Event.WATCHLIST_CHANGED, subject_of(saved), before=before, after=after)
    return saved


def add_watchlist(
    *,
    actor: Person,
    slug: str,
    title: str,
    about: str,
    verdict: str,
    kinds: Sequence[str],
    scopes: Sequence[str],
    cases: Sequence[Case],
) -> Watchlist:
    with change(actor=Actor.person(actor)) as ledger:
        _check_rule(kinds, scopes, cases)
        if Watchlist.objects.filter(slug=slug).exists():
            raise Refused("slug", f"There is a list {slug} already.")
        made = Watchlist.objects.create(
            slug=slug,
            title=title.strip(),
            about=about.strip(),
            verdict=verdict,
            subject_kinds=list(kinds),
            scopes=list(scopes),
            rule_changed_at=database_now(),
            rule_changed_by=actor,
        )
        made.cases.set(cases)
        ledger.add(Event.WATCHLIST_ADDED, subject_of(made), after=_rule_in_words(made))
    return made


def _check_rule(kinds: Sequence[str], scopes: Sequence[str], cases: Sequence[Case]) -> None:
    if not kinds:
        raise Refused("kinds", "Choose at least one kind of subject.")
    if not scopes:
        raise Refused("scopes", "Choose at least one scope.")
    if set(scopes) != {"everywhere"} and not cases:
        raise Refused("cases", "Name the cases whose decisions count, by their numbers.")


def _rule_in_words(watchlist: Watchlist) -> dict[str, object]:
    return {
        "title": watchlist.title,
        "about": watchlist.about,
        "verdict": watchlist.verdict,
        "kinds": watchlist.subject_kinds,
        "scopes": watchlist.scopes,
        "cases": sorted(watchlist.cases.values_list("pk", flat=True)),
        "publish_at": [f"{at:%H:%M}" for at in watchlist.publish_at],
    }


def pause_all(*, actor: Person, why: str) -> None:
    if not why.strip():
        raise Refused("why", "Say why: everybody who waits for a publication will read it.")
    if said := bad_line(why):
        raise Refused("why", said)
    with change(actor=Actor.person(actor)) as ledger:
        locked = _publishing()
        before = _pause_in_words(locked)
        locked.paused_at, locked.paused_by, locked.why = database_now(), actor, why.strip()
        after = _pause_in_words(locked)
        if after == before:
            return
        locked.save()
        ledger.add(Event.PUBLISHING_PAUSED, _ALL, before=before, after=after, reason=locked.why)


def resume_all(*, actor: Person) -> None:
    with change(actor=Actor.person(actor)) as ledger:
        locked = _publishing()
        if locked.paused_at is None:
            return
        before = _pause_in_words(locked)
        locked.paused_at, locked.paused_by, locked.why = None, None, ""
        locked.save()
        ledger.add(Event.PUBLISHING_RESUMED, _ALL, before=before, after=_pause_in_words(locked))


_ALL = Subject("publishing", "all", "all publishing")


def _publishing() -> Publishing:
    """The one row, locked."""
    return Publishing.objects.select_for_update(of=("self",)).select_related("paused_by").get(pk=1)


def _pause_in_words(publishing: Publishing) -> dict[str, object]:
    if publishing.paused_at is None:
        return {"paused": False}
    by = publishing.paused_by
    return {"paused": True, "by": by.username if by else None, "why": publishing.why}


def resume(*, actor: Person, watchlist: Watchlist) -> None:
    """Lets a list that a roll-back or a refusal has paused publish again, and soon."""
    with change(actor=Actor.person(actor)) as ledger:
        saved = Watchlist.objects.select_for_update().get(pk=watchlist.pk)
        if saved.paused_why:
            ledger.add(
                Event.WATCHLIST_RESUMED,
                subject_of(saved),
                before={"paused": True, "why": saved.paused_why},
                after={"paused": False},
            )
            saved.paused_why, saved.rule_changed_at = "", database_now()
            saved.save(update_fields=["paused_why", "rule_changed_at"])


def add_consumer(*, actor: Person, watchlist: Watchlist, name: str, format: str) -> tuple[Consumer, str]:
    """Returns the token too: nobody will ever see it again."""
    named = " ".join(name.split())
    if not named:
        raise Refused("name", "Give the consumer a name that people know, such as fw-lisbon.")
    if said := bad_line(named):
        raise Refused("name", said)
    if format not in REGISTRY:
        raise Refused("format", "There is no such format.")
    with change(actor=Actor.person(actor)) as ledger:
        if Consumer.objects.filter(name=named, revoked_at__isnull=True).exists():
            raise Refused("name", f"There is a consumer {named} already.")
        consumer = Consumer.objects.create(
            name=named, watchlist=watchlist, format=format, made_by=actor, made_at=database_now()
        )
        token, made = _make_token(consumer)
        ledger.add(
            Event.CONSUMER_ADDED,
            _subject_of_consumer(consumer),
            after={"watchlist": watchlist.slug, "format": format, "token": made.ending},
        )
    return consumer, token


def rotate_token(*, actor: Person, consumer: Consumer) -> str:
    """A new token; the ones before it work for another day, so that nothing stops meanwhile."""
    with change(actor=Actor.person(actor)) as ledger:
        saved = Consumer.objects.select_for_update().get(pk=consumer.pk)
        if saved.revoked_at is not None:
            raise Refused("", f"{saved.name} is revoked; add it anew.")
        ends = database_now() + OVERLAP
        saved.tokens.filter(ends_at__isnull=True).update(ends_at=ends)
        token, made = _make_token(saved)
        ledger.add(
            Event.FEED_TOKEN_MADE,
            _subject_of_consumer(saved),
            after={"token": made.ending, "older_end": ends.isoformat()},
        )
    return token


def revoke_consumer(*, actor: Person, consumer: Consumer) -> None:
    with change(actor=Actor.person(actor)) as ledger:
        saved = Consumer.objects.select_for_update().get(pk=consumer.pk)
        if saved.revoked_at is None:
            saved.revoked_at = database_now()
            saved.save(update_fields=["revoked_at"])
            ledger.add(
                Event.CONSUMER_REVOKED,
                _subject_of_consumer(saved),
                before={"revoked": False},
                after={"revoked": True},
            )


def _make_token(consumer: Consumer) -> tuple[str, FeedToken]:
    token = new_token()
    made = FeedToken.objects.create(
        consumer=consumer,
        hash=hash_of(token),
        ending=token[-4:],
        made_at=database_now(),
    )
    return token, made


def _subject_of_consumer(consumer: Consumer) -> Subject:
    return Subject("consumer", str(consumer.pk), consumer.name)
