from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from footprint.accounts.lock_out import count_attempt
from footprint.accounts.models import Person, SignInAttempts
from footprint.ledger.models import Entry

PASSWORD = "a long enough word"


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Client, rui: Person) -> None:
    asked = client.get("/cases/7/?q=a")
    assert asked.headers["Location"] == "/sign-in?next=/cases/7/%3Fq%3Da"
    form = {"username": "rui", "password": PASSWORD, "next": "/cases/7/?q=a"}
    assert client.post("/sign-in", form).headers["Location"] == "/cases/7/?q=a"


def test_signing_in_and_out_stands_in_the_ledger(client: Client, rui: Person) -> None:
    client.post("/sign-in", {"username": "rui", "password": PASSWORD})
    client.post("/sign-out")
    entries = Entry.objects.order_by("seq").values_list("event", "actor_name")
    assert list(entries) == [
        ("accounts:person:signed_in", "Rui Alves"),
        ("accounts:person:signed_out", "Rui Alves"),
    ]


def test_a_wrong_password_keeps_the_name_and_not_the_password(client: Client, rui: Person) -> None:
    answer = client.post("/sign-in", {"username": "rui", "password": "wrong-one-entirely"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "do not belong together" in page
    assert 'value="rui"' in page
    assert "wrong-one-entirely" not in page
    assert not Entry.objects.exists()


def test_an_account_that_is_off_cannot_sign_in(client: Client, rui: Person) -> None:
    Person.objects.filter(pk=rui.pk).update(is_active=False)
    assert client.post("/sign-in", {"username": "rui", "password": PASSWORD}).status_code == 422


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil"]
)
def test_signing_in_never_leads_elsewhere(client: Client, rui: Person, address: str) -> None:
    form = {"username": "rui", "password": PASSWORD, "next": address}
    assert client.post("/sign-in", form).headers["Location"] == "/"


def test_signing_out_needs_a_form(site: Client) -> None:
    assert site.get("/sign-out").status_code == 405


def test_a_part_asked_for_without_a_session_sends_the_whole_page_to_sign_in(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/cases/7/?verdict=undecided"}
    answer = client.get("/cases/7/values/9/row", headers=headers)
    assert answer.status_code == 204
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/cases/7/%3Fverdict%3Dundecided"


def test_times_are_in_the_zone_of_the_reader(site: Client, rui: Person) -> None:
    Person.objects.filter(pk=rui.pk).update(time_zone="Asia/Kolkata")
    assert "Times in Asia/Kolkata" in site.get("/").content.decode()


def sign_in(client: Client, password: str, username: str = "rui", address: str = "198.51.100.7") -> int:
    form = {"username": username, "password": password}
    return client.post("/sign-in", form, REMOTE_ADDR=address).status_code


@pytest.fixture
def three_tries(settings) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"sign_in_failures": 3})
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


def test_a_name_is_locked_out_for_an_address_that_failed_too_often(
    client: Client, rui: Person, three_tries: None
) -> None:
    assert [sign_in(client, "wrong") for _ in range(3)] == [422, 422, 422]
    assert sign_in(client, PASSWORD) == 429
    assert sign_in(client, PASSWORD) == 429
    assert sign_in(client, PASSWORD, address="198.51.100.8") == 302
    locked = Entry.objects.get(event="accounts:person:locked_out")
    assert (locked.subject_name, locked.actor_kind) == ("Rui Alves", "clock")
    assert locked.content["after"] == {"address": "198.51.100.7", "minutes": 15}


def test_a_lock_out_keeps_what_was_typed_but_the_password(
    client: Client, rui: Person, three_tries: None
) -> None:
    for _ in range(3):
        sign_in(client, "wrong")
    page = client.post("/sign-in", {"username": "rui", "password": PASSWORD}, REMOTE_ADDR="198.51.100.7")
    assert "Too many attempts" in page.content.decode()
    assert 'value="rui"' in page.content.decode()
    assert PASSWORD not in page.content.decode()


def test_an_address_is_locked_out_whatever_the_names(client: Client, rui: Person, three_tries: None) -> None:
    assert {sign_in(client, "wrong", username=f"nobody{number}") for number in range(30)} == {422}
    assert sign_in(client, PASSWORD) == 429
    locked = Entry.objects.get()
    assert (locked.event, locked.subject_name) == ("accounts:address:locked_out", "198.51.100.7")


def test_a_name_that_nobody_has_never_stands_in_the_ledger(
    client: Client, db: None, three_tries: None
) -> None:
    for _ in range(5):
        sign_in(client, "wrong", username="typed-my-password-here")
    assert not Entry.objects.exists()


@pytest.mark.parametrize("typed", [" rui", "rui\u3000", "\uff52ui"])
def test_another_way_to_type_a_name_is_no_fresh_count(
    client: Client, rui: Person, three_tries: None, typed: str
) -> None:
    for _ in range(3):
        sign_in(client, "wrong")
    assert sign_in(client, PASSWORD, username=typed) == 429
    assert Entry.objects.get().event == "accounts:person:locked_out"


def test_a_lock_out_by_another_way_to_type_the_name_is_an_entry(
    client: Client, rui: Person, three_tries: None
) -> None:
    answers = [sign_in(client, "wrong", name) for name in ("rui", "Rui", "rui", "RUI")]
    assert answers == [422, 422, 422, 429]
    assert Entry.objects.filter(event="accounts:person:locked_out", subject_id=str(rui.pk)).count() == 1


def test_empty_names_lock_no_other_name_at_their_address(
    client: Client, rui: Person, three_tries: None
) -> None:
    sign_in(client, "wrong")
    for _ in range(4):
        sign_in(client, "wrong", username="")
    assert sign_in(client, PASSWORD) == 302


def test_signing_in_begins_the_count_anew(client: Client, rui: Person, three_tries: None) -> None:
    for _ in range(3):
        assert [sign_in(client, "wrong"), sign_in(client, "wrong"), sign_in(client, PASSWORD)] == [
            422,
            422,
            302,
        ]
        client.post("/sign-out")


def test_a_lock_out_ends_with_its_time(client: Client, rui: Person, three_tries: None) -> None:
    for _ in range(4):
        sign_in(client, "wrong")
    SignInAttempts.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
    assert sign_in(client, PASSWORD) == 302


def test_failures_long_ago_count_no_more_and_are_swept(
    client: Client, rui: Person, three_tries: None
) -> None:
    for number in range(3):
        sign_in(client, "wrong", username=f"nobody{number}")
    SignInAttempts.objects.update(began_at=timezone.now() - timedelta(hours=1))
    sign_in(client, "wrong")
    assert SignInAttempts.objects.count() == 2


def test_a_refused_sign_in_goes_to_the_security_log(client: Client, rui: Person, three_tries: None) -> None:
    with capture_logs() as logs:
        sign_in(client, "wrong")
    assert [(line["event"], line["username"], line["address"]) for line in logs if "username" in line] == [
        ("sign_in_refused", "rui", "198.51.100.7")
    ]


def test_a_name_that_nobody_has_never_goes_to_the_security_log(
    client: Client, rui: Person, three_tries: None
) -> None:
    with capture_logs() as logs:
        for _ in range(4):
            sign_in(client, "wrong", username="typed-my-password-here")
    assert [line["event"] for line in logs if "address" in line][2:] == [
        "sign_in_refused",
        "sign_in_locked_out",
    ]
    assert "typed-my-password-here" not in repr(logs)


class LedgerGone(Exception):
    """The entry could not be written."""


@pytest.fixture
def no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise LedgerGone

    for name in ("note_sign_in", "note_sign_out", "note_lock_outs"):
        monkeypatch.setattr(f"footprint.desk.views.signing.{name}", fail)


def test_nobody_is_signed_in_without_an_entry(client: Client, rui: Person, no_entry: None) -> None:
    with pytest.raises(LedgerGone):
        client.post("/sign-in", {"username": "rui", "password": PASSWORD})
    rui.refresh_from_db()
    assert (rui.last_login, Session.objects.count()) == (None, 0)
    assert SignInAttempts.objects.count() == 2


def test_nobody_is_signed_out_without_an_entry(site: Client, no_entry: None) -> None:
    with pytest.raises(LedgerGone):
        site.post("/sign-out")
    assert Session.objects.count() == 1


def test_a_lock_out_that_was_not_told_is_told_with_the_next_attempt(
    client: Client, rui: Person, no_entry: None, settings: Any
) -> None:
    for _ in range(settings.FOOTPRINT.sign_in_failures):
        count_attempt("rui", "127.0.0.1")
    with pytest.raises(LedgerGone):
        client.post("/sign-in", {"username": "rui", "password": "wrong-one-entirely"})
    assert count_attempt("rui", "127.0.0.1").locks == ("name",)
