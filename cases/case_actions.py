"""Changes that people make to a case and what it says of itself: one transaction each, ledger included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from cases.models import Case, CaseFile, CaseVisit, Severity, Tlp
from cases.refusals import RefusedAt
from cases.tags import bad_tag
from cases.texts import LONGEST_TITLE, LONGEST_WHY, bad_text
from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person
from footprint.ledger.events import Event
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor, Change, Subject, change


@dataclass(frozen=True, slots=True)
class FileText:
    """A file to hunt for: kind (name, sha1, sha256), the text as typed, and its ASCII-lowered key."""

    kind: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What people say of a case, apart from its files and its state."""

    title: str
    why: str
    owner: Person
    assignee: Person | None
    severity: int
    tlp: str
    tags: tuple[str, ...]

    @classmethod
    def of(cls, case: Case) -> CaseFacts:
        return cls(case.title, case.why, case.owner, case.assignee, case.severity, case.tlp, tuple(case.tags))

    def as_kept(self) -> dict[str, object]:
        return {
            "title": self.title,
            "why": self.why,
            "owner": str(self.owner),
            "assignee": str(self.assignee) if self.assignee else None,
            "severity": Severity(self.severity).label,
            "tlp": self.tlp,
            "tags": list(self.tags),
        }


class CannotOpen(RefusedAt):
    """A case needs a title and at least one file; `field` names what is missing."""


class CannotChange(RefusedAt):
    """What was asked for cannot be."""


class CaseChangedMeanwhile(Exception):
    """The case is not what the person saw. Nothing was written. `who` and `when` tell the latest change."""

    def __init__(self, current: Case) -> None:
        self.current = current
        latest = (
            Entry.objects.filter(subject_kind="case", subject_id=str(current.pk)).order_by("-seq").first()
        )
        self.who: str = latest.actor_name if latest else "somebody"
        self.when: datetime | None = latest.at if latest else None
        super().__init__(f"Changed meanwhile by {self.who}")


def add_case(ledger: Change, *, owner: Person, title: str, why: str, files: Sequence[FileText]) -> Case:
    """Opens a case inside an open change. A file named twice is kept once, as first typed."""
    for field, said in _bad_words(title, why):
        raise CannotOpen(field, said)
    if not files:
        raise CannotOpen("files", "Name at least one file.")
    distinct: dict[tuple[str, str], FileText] = {}
    for file in files:
        distinct.setdefault((file.kind, file.key), file)
    case = Case.objects.create(title=title.strip(), why=why.strip(), owner=owner)
    CaseFile.objects.bulk_create(
        CaseFile(case=case, kind=file.kind, text=file.text, key=file.key) for file in distinct.values()
    )
    ledger.add(
        Event.CASE_OPENED,
        subject_of(case),
        case_number=case.pk,
        after={
            "title": case.title,
            "why": case.why,
            "files": [[file.kind, file.text] for file in distinct.values()],
        },
    )
    return case


def visit(*, person: Person, case: Case) -> datetime | None:
    """Notes that the person has the case open; returns when they last had. Nothing changes, so no entry."""
    known = CaseVisit.objects.filter(person=person, case=case).values_list("at", flat=True).first()
    CaseVisit.objects.update_or_create(person=person, case=case, defaults={"at": timezone.now()})
    return known


def edit_case(*, actor: Person, case: Case, version: int, facts: CaseFacts) -> Case:
    """Says the facts of the case anew. `version` is the one that the person saw."""
    with change(actor=Actor.person(actor)) as ledger:
        locked = locked_case(case, version)
        before = CaseFacts.of(locked)
        wanted = replace(facts, title=facts.title.strip(), why=facts.why.strip())
        _refuse_facts(before, wanted)
        _keep(ledger, locked, before, wanted, Event.CASE_CHANGED)
    return locked


def assign(*, actor: Person, case: Case, version: int, assignee: Person | None) -> Case:
    with change(actor=Actor.person(actor)) as ledger:
        locked = locked_case(case, version)
        before = CaseFacts.of(locked)
        wanted = replace(before, assignee=assignee)
        _refuse_person(before.assignee, assignee, "assignee")
        _keep(ledger, locked, before, wanted, Event.CASE_ASSIGNED)
    return locked


def locked_case(case: Case, version: int) -> Case:
    """The row under its lock, as long as it is what the person saw."""
    locked: Case = (
        Case.objects.select_for_update(of=("self",)).select_related("owner", "assignee").get(pk=case.pk)
    )
    if locked.version != version:
        raise CaseChangedMeanwhile(locked)
    return locked


def subject_of(case: Case) -> Subject:
    return Subject("case", str(case.pk), case.title)


def _bad_words(title: str, why: str) -> Iterator[tuple[str, str]]:
    """Each field with what is wrong with it."""
    if not title.strip():
        yield "title", "Give the case a title."
    if said := bad_text("A title", title, LONGEST_TITLE):
        yield "title", said
    if said := bad_text("Why", why, LONGEST_WHY):
        yield "why", said


def _refuse_facts(before: CaseFacts, wanted: CaseFacts) -> None:
    for field, said in _bad_words(wanted.title, wanted.why):
        raise CannotChange(field, said)
    if wanted.severity not in Severity.values:
        raise CannotChange("severity", "There is no such severity.")
    if wanted.tlp not in Tlp.values:
        raise CannotChange("tlp", "There is no such mark.")
    if said := bad_tag(wanted.tags):
        raise CannotChange("tags", said)
    _refuse_person(before.owner, wanted.owner, "owner")
    _refuse_person(before.assignee, wanted.assignee, "assignee")


def _refuse_person(before: Person | None, wanted: Person | None, field: str) -> None:
    """Whoever has it already may keep it."""
    if wanted is not None and wanted != before and not may(wanted, Verb.EDIT_CASE):
        raise CannotChange(field, f"{wanted} cannot work on cases.")


def _keep(ledger: Change, case: Case, before: CaseFacts, wanted: CaseFacts, event: Event) -> None:
    if wanted == before:
        return
    case.title, case.why, case.owner, case.assignee = wanted.title, wanted.why, wanted.owner, wanted.assignee
    case.severity, case.tlp, case.tags = wanted.severity, wanted.tlp, sorted(set(wanted.tags))
    case.version += 1
    case.save()
    was, now = before.as_kept(), CaseFacts.of(case).as_kept()
    differs = [name for name in now if was[name] != now[name]]
    ledger.add(
        event,
        subject_of(case),
        case_number=case.pk,
        before={name: was[name] for name in differs},
        after={name: now[name] for name in differs},
    )
