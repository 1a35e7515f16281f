"""Look-ups: asked once, answered at the case's source, kept with the case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from cases.models import Case, CaseValue
from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from hunts import lookups
from hunts.actions import CaseIsClosed
from hunts.adapters import adapter_for
from hunts.limiter import NoTurn
from hunts.lookups import CannotLookUp, ask_look_up, look_up
from hunts.models import LookUp, Run, RunNews, Source
from hunts.sources.errors import Rejected, Throttled, Unavailable
from tests.hunts.conftest import OpenRun
from tests.hunts.telemetry_lines import days_ago, event
from tests.hunts.test_running import work
from tests.roles import client_of, person_with

pytestmark = pytest.mark.django_db

EVENTS = [
    event("beacon.exe", days_ago(3), "203.0.113.7", "evil.example"),
    event("other.exe", days_ago(2), "203.0.113.7", "https://evil.example/path"),
    event("third.exe", days_ago(2), "203.0.113.9", "notevil.example"),
    event("third.exe", days_ago(2), "203.0.113.9", "sub.evil.example"),
]


@pytest.fixture
def run(open_a_run: OpenRun, valkey: object) -> Run:
    return work(open_a_run(EVENTS, "beacon.exe"))


@pytest.fixture
def case(run: Run) -> Case:
    return run.hunt.case


@pytest.fixture
def rui(case: Case) -> Person:
    return case.owner


def ask(case: Case, subject: str, question: str = "talkers", kind: str = "name") -> LookUp:
    return ask_look_up(actor=case.owner, case=case, question=question, subject_kind=kind, subject=subject)


def answered(look: LookUp) -> LookUp:
    look_up(look.pk)
    look.refresh_from_db()
    return look


def failing_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    class Failing:
        def __init__(self, real: object) -> None:
            self.dialect = real.dialect  # type: ignore[attr-defined]  # any adapter has one

        def ask(self, *given: object, **named: object) -> None:
            raise error

    monkeypatch.setattr(lookups, "adapter_for", lambda source: Failing(adapter_for(source)))


def test_a_name_finds_every_file_that_talks_to_exactly_it(case: Case) -> None:
    look = answered(ask(case, "evil.example"))
    assert (look.state, look.said) == ("done", "")
    assert sorted(str(row["File"]) for row in look.rows) == ["beacon.exe", "other.exe"]
    assert "RemoteUrl contains" in look.kql


def test_an_address_finds_every_file_that_talks_to_it(case: Case) -> None:
    look = answered(ask(case, "203.0.113.7", kind="address"))
    assert sorted(str(row["File"]) for row in look.rows) == ["beacon.exe", "other.exe"]


def test_a_file_finds_its_machines(case: Case) -> None:
    look = answered(ask(case, "beacon.exe", "machines", "file"))
    assert look.state == "done"
    assert [row["File"] for row in look.rows] == ["beacon.exe"]
    assert look.rows[0]["Actions"]


def test_a_hash_of_a_local_source_is_asked_in_network_events(case: Case) -> None:
    look = answered(ask(case, "ab" * 20, "machines", "sha1"))
    assert (look.state, look.rows) == ("done", [])
    assert not lookups.is_wide(look)


def test_more_rows_than_are_kept_are_told(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "ROWS_KEPT", 1)
    look = answered(ask(case, "203.0.113.7", kind="address"))
    assert (len(look.rows), look.more) == (1, True)


def test_asking_twice_is_one_question_and_one_entry(case: Case) -> None:
    assert ask(case, "evil.example") == ask(case, "evil.example")
    entry = Entry.objects.get(event="hunts:look_up:asked")
    assert (entry.case_number, entry.content["after"]["subject"]) == (case.pk, "evil.example")


def test_an_answered_question_is_not_asked_again(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    look = answered(ask(case, "evil.example"))
    failing_with(monkeypatch, Rejected("No."))
    assert answered(look).state == "done"


def test_a_refusal_ends_it_with_the_sources_words(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_with(monkeypatch, Rejected("It does not understand.", said="SYN0002"))
    look = answered(ask(case, "evil.example"))
    assert (look.state, look.said) == ("failed", "It does not understand. “SYN0002”")


@pytest.mark.parametrize("error", [Unavailable("Not reached."), Throttled("Too many.", retry_after=7)])
def test_what_may_pass_is_asked_again_three_times_at_most(
    case: Case, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing_with(monkeypatch, error)
    look = answered(ask(case, "evil.example"))
    assert (look.state, look.attempts) == ("waiting", 1)
    assert answered(look).attempts == 1
    for _ in range(2):
        LookUp.objects.update(not_before=None)
        answered(look)
    assert (look.state, look.attempts) == ("failed", 3)


def test_what_a_lost_worker_left_is_taken_over(case: Case) -> None:
    look = ask(case, "evil.example")
    LookUp.objects.update(state="asking", attempts=1, lease_until=Now() - timedelta(seconds=1))
    assert answered(look).state == "done"


def test_a_worker_that_lost_its_lease_writes_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    look = ask(case, "evil.example")
    real = lookups._rows

    def taken_over(*given: object) -> object:
        LookUp.objects.update(fence=99)
        return real(*given)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(lookups, "_rows", taken_over)
    assert answered(look).state == "asking"


def test_a_closed_case_asks_nothing(case: Case) -> None:
    Case.objects.update(state=Case.State.CLOSED)
    with pytest.raises(CaseIsClosed):
        ask(case, "evil.example")


def test_a_paused_source_is_asked_nothing(case: Case) -> None:
    Source.objects.update(paused_at=timezone.now())
    with pytest.raises(CannotLookUp, match="is paused"):
        ask(case, "evil.example")


def test_what_waits_while_its_source_is_paused_is_asked_once_it_is_resumed(case: Case) -> None:
    look = ask(case, "evil.example")
    Source.objects.update(paused_at=timezone.now())
    look = answered(look)
    assert (look.state, look.attempts) == ("waiting", 0)
    Source.objects.update(paused_at=None)
    assert answered(look).state == "done"


def test_having_no_turn_costs_no_attempt(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_free(*given: object) -> None:
        raise NoTurn(7.0, "Waits for its turn.")

    monkeypatch.setattr(lookups, "turn", none_free)
    look = answered(ask(case, "evil.example"))
    assert (look.state, look.attempts, look.said) == ("waiting", 0, "Waits for its turn.")
    assert not LookUp.objects.to_be_asked().exists()


def test_the_page_shows_the_answer_and_the_text_that_was_sent(case: Case, rui: Person) -> None:
    site = client_of(rui)
    asked = {"question": "talkers", "kind": "name", "subject": "evil.example"}
    response = site.post(f"/cases/{case.pk}/look-ups/ask", asked)
    look = LookUp.objects.get()
    assert response.headers["Location"] == f"/cases/{case.pk}/look-ups/{look.pk}/"
    assert "data-poll" in site.get(response.headers["Location"]).content.decode()
    answered(look)
    page = site.get(response.headers["Location"]).content.decode()
    assert "other.exe" in page
    assert "RemoteUrl" in page
    assert "data-poll" not in page
    assert "evil.example" in site.get(f"/cases/{case.pk}/look-ups/").content.decode()
    value = CaseValue.objects.get(value="evil.example")
    assert "other.exe" in site.get(f"/cases/{case.pk}/values/{value.pk}/").content.decode()


@pytest.mark.parametrize(
    ("question", "kind", "subject"),
    [
        ("talkers", "name", "elsewhere.example"),
        ("talkers", "sha1", "evil.example"),
        ("machines", "file", "elsewhere.exe"),
        ("machines", "sha1", "abc"),
        ("why", "name", "evil.example"),
    ],
)
def test_only_what_belongs_to_the_case_is_looked_up(
    case: Case, rui: Person, question: str, kind: str, subject: str
) -> None:
    asked = {"question": question, "kind": kind, "subject": subject}
    assert client_of(rui).post(f"/cases/{case.pk}/look-ups/ask", asked).status_code == 400


def test_a_reader_asks_nothing(case: Case) -> None:
    asked = {"question": "talkers", "kind": "name", "subject": "evil.example"}
    reader: Client = client_of(person_with(Role.READER, "rea"))
    assert reader.post(f"/cases/{case.pk}/look-ups/ask", asked).status_code == 403
    assert not LookUp.objects.exists()


def test_the_page_of_a_run_shows_what_is_new_and_links_to_all_of_it(case: Case, run: Run) -> None:
    site = client_of(case.owner)
    value = CaseValue.objects.get(case=case)
    RunNews.objects.create(run=run, value=value, kind="new", day=value.first_seen.date())
    page = site.get(f"/cases/{case.pk}/runs/{run.pk}/").content.decode()
    assert 'id="news"' in page
    assert f"/cases/{case.pk}/runs/{run.pk}/news/new/" in page
    assert f"/values/{value.pk}/" in page
    assert f"/values/{value.pk}/" in site.get(f"/cases/{case.pk}/runs/{run.pk}/news/new/").content.decode()
    assert site.get(f"/cases/{case.pk}/runs/{run.pk}/news/quiet/").status_code == 200
    assert site.get(f"/cases/{case.pk}/runs/{run.pk}/news/odd/").status_code == 400
