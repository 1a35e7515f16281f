from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from footprint.accounts.models import Role
from footprint.ledger.events import Event
from footprint.ledger.models import Entry, Head, Verification
from footprint.ledger.proof import STUCK, ask_verification, carry_out
from footprint.ledger.record import Actor, Subject, change
from footprint.ledger.sealing import make_checkpoint
from footprint.ledger.tasks import wake_verifications
from tests.cases.views.pages import text_of
from tests.roles import client_of, client_with, person_with


@pytest.fixture(autouse=True)
def checkpoints_aside(db: None, tmp_path, settings) -> None:
    settings.FOOTPRINT = django_settings.FOOTPRINT.model_copy(
        update={"data_dir": tmp_path, "checkpoint_file": tmp_path / "checkpoints.jsonl"}
    )


@pytest.fixture
def auditor() -> Client:
    return client_with(Role.AUDITOR)


def add(name: str = "a") -> None:
    with change(actor=Actor.command("tests")) as ledger:
        ledger.add(Event.CASE_OPENED, Subject("case", "1", name))


@pytest.mark.parametrize("address", ["/ledger/proof/verify", "/ledger/proof/export"])
def test_only_auditors_verify_and_export(address: str) -> None:
    assert client_with(Role.LEAD).post(address).status_code == 403
    assert not Entry.objects.exists()


def test_everybody_sees_the_proof_and_its_checkpoint() -> None:
    add()
    said = text_of(client_with(Role.READER).get("/ledger/proof/"))
    assert "none yet; one is made each hour" in said
    assert "Auditors verify and export." in said


def test_the_page_says_why_nothing_is_signed(settings) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"database_url": "postgresql://elsewhere/x"})
    add()
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=False):
        said = text_of(client_with(Role.READER).get("/ledger/proof/"))
    assert "FOOTPRINT_LEDGER_KEY is not set" in said
    assert "one is made each hour" not in said


def test_the_first_checkpoint_too_is_told_when_it_stays_away() -> None:
    add()
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=False):
        said = text_of(client_with(Role.READER).get("/ledger/proof/"))
    assert "No checkpoint is made." in said


def test_a_verification_is_carried_out_and_told_with_its_outcome() -> None:
    person = person_with(Role.AUDITOR, "otto")
    add()
    carry_out(ask_verification(actor=person).pk)
    said = text_of(client_of(person).get("/ledger/proof/"))
    assert (
        "The ledger holds. 2 entries checked, all hold; 0 checkpoints of the database and 0 of the file fit."
        in said
    )
    asked, finished = Entry.objects.filter(subject_kind="verification").order_by("seq")
    assert (asked.event, finished.event) == (Event.VERIFICATION_ASKED, Event.VERIFICATION_FINISHED)
    assert finished.content["after"]["holds"] is True


def test_a_broken_ledger_is_told_with_its_first_broken_entry() -> None:
    person = person_with(Role.AUDITOR, "otto")
    add()
    verification = ask_verification(actor=person)
    Head.objects.update(seq=7)
    carry_out(verification.pk)
    said = text_of(client_of(person).get("/ledger/proof/"))
    assert "The ledger is broken. Entry 3: it is missing; the head of the ledger stands at 7." in said


def test_who_asks_twice_gets_the_one_underway() -> None:
    person = person_with(Role.AUDITOR, "otto")
    first = ask_verification(actor=person)
    assert ask_verification(actor=person) == first
    assert Entry.objects.count() == 1


def delete_the_head() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_head DISABLE TRIGGER ALL")
        cursor.execute("DELETE FROM ledger_head")


@pytest.mark.parametrize("address", ["", "verify", "export"])
def test_a_head_that_was_deleted_is_named(auditor: Client, address: str) -> None:
    add()
    delete_the_head()
    answer = auditor.post(f"/ledger/proof/{address}", {"first": "1"}, follow=True) if address else None
    said = text_of(answer or auditor.get("/ledger/proof/"))
    assert "The ledger is broken. Entry 0: the head of the ledger was deleted." in said


def test_a_verification_during_which_the_head_is_deleted_ends_and_names_it() -> None:
    add()
    verification = ask_verification(actor=person_with(Role.AUDITOR, "otto"))
    delete_the_head()
    carry_out(verification.pk)
    verification.refresh_from_db()
    assert verification.outcome == "Entry 0: the head of the ledger was deleted."


def lose_its_worker(verification: Verification, *, attempts: int) -> None:
    """As a row looks whose worker was killed a while ago."""
    long_ago = timezone.now() - 2 * STUCK
    Verification.objects.filter(pk=verification.pk).update(moved_at=long_ago, attempts=attempts)


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    monkeypatch.setattr("footprint.ledger.proof.hint", lambda verification: found.append(verification.pk))
    return found


@pytest.mark.parametrize("attempts", [0, 1, 2])
def test_a_verification_that_lost_its_worker_is_asked_again_and_carried_out(
    attempts: int, hinted: list[int]
) -> None:
    verification = ask_verification(actor=person_with(Role.AUDITOR, "otto"))
    lose_its_worker(verification, attempts=attempts)
    wake_verifications()
    assert hinted == [verification.pk]
    carry_out(verification.pk)
    verification.refresh_from_db()
    assert (verification.attempts, verification.fault) == (attempts + 1, "")
    assert verification.ended_at is not None


def test_a_verification_that_moves_is_left_to_its_worker(hinted: list[int]) -> None:
    verification = ask_verification(actor=person_with(Role.AUDITOR, "otto"))
    Verification.objects.update(attempts=1)
    wake_verifications()
    carry_out(verification.pk)
    verification.refresh_from_db()
    assert (hinted, verification.ended_at) == ([], None)


def test_a_verification_that_loses_every_worker_is_given_up_and_holds_nothing(hinted: list[int]) -> None:
    person = person_with(Role.AUDITOR, "otto")
    verification = ask_verification(actor=person)
    lose_its_worker(verification, attempts=3)
    wake_verifications()
    assert hinted == []
    assert Entry.objects.latest("seq").content["after"]["holds"] is None
    said = text_of(client_of(person).get("/ledger/proof/"))
    assert "Not verified. Its worker was lost 3 times." in said
    assert "holds" not in said.partition("Not verified.")[2].partition("Export")[0]


def test_a_checkpoint_that_is_late_is_told(auditor: Client) -> None:
    add()
    make_checkpoint()
    add()
    assert "No checkpoint is made." not in text_of(auditor.get("/ledger/proof/"))
    with time_machine.travel(timezone.now() + timedelta(hours=3), tick=False):
        auditor.force_login(person_with(Role.AUDITOR, "otto"))
        assert "No checkpoint is made." in text_of(auditor.get("/ledger/proof/"))


def test_progress_is_polled_until_it_ends(auditor: Client) -> None:
    verification = ask_verification(actor=person_with(Role.AUDITOR, "otto"))
    address = f"/ledger/proof/{verification.pk}/"
    Verification.objects.update(checked=5, total=10)
    part = auditor.get(address, headers={"HX-Request": "true"})
    assert "50 %" in text_of(part)
    etag = part.headers["ETag"]
    assert auditor.get(address, headers={"HX-Request": "true", "If-None-Match": etag}).status_code == 304
    carry_out(verification.pk)
    assert auditor.get(address, headers={"HX-Request": "true", "If-None-Match": etag}).status_code == 286


def test_an_export_is_taken_away_and_is_an_entry(auditor: Client) -> None:
    add()
    answer = auditor.post("/ledger/proof/export", {"first": "1", "last": ""})
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]  # a file answer streams
    assert [line["kind"] for line in lines] == ["ledger", "checkpoint", "entry", "entry", "end"]
    assert 'filename="ledger-1-2.jsonl"' in answer.headers["Content-Disposition"]
    assert Entry.objects.get(seq=2).event == Event.LEDGER_EXPORTED


@pytest.mark.parametrize("last", ["99", "0", "x", "9" * 30])
def test_a_range_that_is_none_is_told_at_its_field(auditor: Client, last: str) -> None:
    add()
    answer = auditor.post("/ledger/proof/export", {"first": "1", "last": last})
    assert answer.status_code == 422
    assert "entry" not in answer.headers.get("Content-Disposition", "")
    assert Entry.objects.count() == 1


def test_an_export_that_cannot_be_sealed_is_told_and_is_no_entry(auditor: Client, settings) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": "not a key"})
    add()
    answer = auditor.post("/ledger/proof/export", {"first": "1", "last": ""})
    assert answer.status_code == 422
    assert "The key is not base64." in text_of(answer)
    assert Entry.objects.count() == 1


def test_a_checkpoint_file_that_cannot_be_written_is_told(auditor: Client, tmp_path, settings) -> None:
    (tmp_path / "no-folder").write_text("")
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(
        update={"checkpoint_file": tmp_path / "no-folder" / "checkpoints.jsonl"}
    )
    add()
    answer = auditor.post("/ledger/proof/export", {"first": "1", "last": ""})
    assert answer.status_code == 422
    assert "checkpoints.jsonl cannot be written" in text_of(answer)


def test_a_verification_without_a_readable_key_ends_and_says_so(settings, tmp_path) -> None:
    (tmp_path / "ledger-key").mkdir()
    verification = ask_verification(actor=person_with(Role.AUDITOR, "otto"))
    carry_out(verification.pk)
    verification.refresh_from_db()
    assert verification.ended_at is not None
    assert "ledger-key cannot be read" in verification.said
    assert "Whose checkpoints they are was not checked." in verification.said
