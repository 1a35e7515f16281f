"""A house with something of everything: each page of the site by what it is, and a role that sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cases.models import Case, CaseValue
from cases.note_actions import add_note
from cases.watchlists.models import Watchlist
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from hunts.models import Hunt, LookUp, Run, Source
from tests.cases.batches.bulk import decided, drafted
from tests.cases.views.test_intakes import paste
from tests.cases.watchlists.worlds import publish, reconcile, target_at
from tests.cases.world import decide_on, merge_and_settle, open_case, row
from tests.lab.server import Lab
from tests.roles import client_of, person_with

TODAY = datetime.now(UTC).date()
Pages = dict[str, tuple[Role, str]]


@dataclass(frozen=True)
class House:
    case: Case
    pages: Pages


@dataclass(frozen=True)
class _People:
    lead: Person
    reviewer: Person
    analyst: Person


def furnished(lab: Lab) -> House:
    people = _People(
        person_with(Role.LEAD, "lea"), person_with(Role.REVIEWER, "anneke"), person_with(Role.ANALYST, "lou")
    )
    case = open_case(people.lead, "a.exe")
    merge_and_settle(
        case, row("1.1.1.1", "a.corp.example"), row(dns="b.corp.example"), row("1.1.1.9"), row("1.1.1.8")
    )
    pages = (
        _of_the_site(people)
        | _of_decisions(people, case)
        | _of_the_case(people, case)
        | _of_hunts(people, case)
        | _of_watchlists(people, lab)
    )
    entry = Entry.objects.latest("seq")
    return House(case, pages | {"an entry": (Role.AUDITOR, f"/ledger/{entry.seq}/")})


def _of_the_site(people: _People) -> Pages:
    return {
        "the inbox": (Role.LEAD, "/"),
        "search": (Role.LEAD, "/search/"),
        "the list of cases": (Role.LEAD, "/cases/"),
        "the week": (Role.LEAD, "/week/"),
        "known lists": (Role.LEAD, "/known-lists/"),
        "the ledger": (Role.AUDITOR, "/ledger/"),
        "the proof": (Role.AUDITOR, "/ledger/proof/"),
        "people": (Role.ADMINISTRATOR, "/people/"),
        "a person": (Role.ADMINISTRATOR, f"/people/{people.reviewer.pk}/"),
        "the account": (Role.LEAD, "/account/"),
        "the password": (Role.LEAD, "/account/password/"),
    }


def _of_decisions(people: _People, case: Case) -> Pages:
    made = decide_on(people.lead, case, "1.1.1.9")
    proposal = decide_on(people.reviewer, case, "b.corp.example", subject="*.corp.example").proposals.get()
    intake = paste(client_of(people.lead), "c.example\n*.com\nwords words\n")
    return {
        "decisions": (Role.LEAD, "/decisions/"),
        "a decision": (Role.LEAD, f"/decisions/{made.pk}/"),
        "withdrawing": (Role.LEAD, f"/decisions/{made.pk}/withdraw"),
        "extending": (Role.LEAD, f"/decisions/{made.pk}/extend"),
        "a proposal": (Role.LEAD, f"/proposals/{proposal.pk}/"),
        "a proposed decision": (Role.LEAD, f"/decisions/{proposal.decision_id}/"),
        "a value of all cases": (Role.LEAD, "/values/?value=a.corp.example"),
        "a value to look for": (Role.LEAD, "/values/"),
        "a new list": (Role.LEAD, "/intakes/new/"),
        "a list": (Role.LEAD, f"/intakes/{intake.pk}/"),
    }


def _of_the_case(people: _People, case: Case) -> Pages:
    value = CaseValue.objects.get(case=case, value="a.corp.example")
    waiting = decided(people.analyst, case, "a.corp.example", scope="case")
    draft = drafted(people.lead, case, "1.1.1.8", verdict="allowed", scope="case")
    note = add_note(actor=people.lead, case=case, text="A note with `code`")
    at = f"/cases/{case.pk}/"
    return {
        "the queue": (Role.LEAD, at),
        "the editor": (Role.LEAD, f"{at}?decide={value.pk}&verdict_as=blocked"),
        "the wide editor": (Role.LEAD, f"{at}?decide={value.pk}&verdict_as=blocked&wider=1"),
        "a case's facts": (Role.LEAD, f"{at}edit/"),
        "a case's state": (Role.LEAD, f"{at}state/?to=closed"),
        "notes": (Role.LEAD, f"{at}notes/"),
        "a note": (Role.LEAD, f"{at}notes/{note.pk}/"),
        "reviews": (Role.LEAD, f"{at}reviews/"),
        "a case's decisions": (Role.LEAD, f"{at}decisions/"),
        "a value": (Role.LEAD, f"{at}values/{value.pk}/"),
        "a draft": (Role.LEAD, f"{at}batches/{draft.pk}/"),
        "a batch that waits": (Role.LEAD, f"{at}batches/{waiting.pk}/"),
        "a batch of one's own": (Role.ANALYST, f"{at}batches/{waiting.pk}/"),
        "the report": (Role.LEAD, f"{at}report/?notes=1"),
    }


def _of_hunts(people: _People, case: Case) -> Pages:
    hunt = Hunt.objects.create(case=case, source=Source.objects.get(slug="local"), opened_by=people.lead)
    hunt.files.set(case.files.all())
    run = Run.objects.create(
        hunt=hunt,
        slot="1",
        state="partial",
        ended_at=datetime.now(UTC),
        reasons=["6 Nov: The source took longer than 600 s."],
        first_day=TODAY - timedelta(days=9),
        last_day=TODAY,
        opened_by=people.lead,
        new_values=3,
        rows=90,
    )
    look_up = LookUp.objects.create(
        case=case,
        source=hunt.source,
        asked_by=people.lead,
        state="failed",
        question="talkers",
        subject_kind="name",
        subject="a.corp.example",
        said="The source took longer than 600 s.",
        first_day=TODAY,
        last_day=TODAY,
    )
    at = f"/cases/{case.pk}/"
    return {
        "a new case": (Role.LEAD, "/cases/new/"),
        "runs": (Role.LEAD, f"{at}runs/"),
        "a run": (Role.LEAD, f"{at}runs/{run.pk}/"),
        "what a run brought": (Role.LEAD, f"{at}runs/{run.pk}/news/new/"),
        "the KQL": (Role.LEAD, f"{at}kql/"),
        "look-ups": (Role.LEAD, f"{at}look-ups/"),
        "a look-up": (Role.LEAD, f"{at}look-ups/{look_up.pk}/"),
        "hunts": (Role.LEAD, "/hunts/"),
        "a schedule": (Role.LEAD, f"/hunts/{hunt.pk}/schedule/"),
        "sources": (Role.LEAD, "/sources/"),
        "a source": (Role.LEAD, "/sources/local/"),
        "a source's settings": (Role.LEAD, "/sources/local/edit"),
        "names of a source": (Role.LEAD, "/sources/local/names/"),
        "imports of a source": (Role.LEAD, "/sources/local/imports/"),
        "kinds of sources": (Role.LEAD, "/sources/new/"),
        "a new source": (Role.LEAD, "/sources/new/log_analytics/"),
    }


def _of_watchlists(people: _People, lab: Lab) -> Pages:
    blocks = Watchlist.objects.get(slug="all-blocks")
    publish(blocks)
    target = target_at(lab, "defender", blocks, title="Tenant")
    look = reconcile(target)
    at = "/watchlists/all-blocks/"
    return {
        "watchlists": (Role.LEAD, "/watchlists/"),
        "a watchlist": (Role.LEAD, at),
        "its versions": (Role.LEAD, f"{at}versions/"),
        "its rule": (Role.LEAD, f"{at}rule/"),
        "its feeds": (Role.LEAD, f"{at}feeds/"),
        "what is left out": (Role.LEAD, f"{at}left-out/plain-text/"),
        "its targets": (Role.LEAD, f"{at}targets/"),
        "a new target": (Role.LEAD, f"{at}targets/new/defender/"),
        "a target": (Role.LEAD, f"{at}targets/{target.slug}/"),
        "a target's settings": (Role.LEAD, f"{at}targets/{target.slug}/edit/"),
        "a look at a target": (Role.LEAD, f"{at}targets/{target.slug}/looks/{look.pk}/"),
    }
