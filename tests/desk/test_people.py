from __future__ import annotations

import re

import pytest
from django.test import Client

from footprint.accounts.lock_out import count_attempt
from footprint.accounts.models import Person, Role, SignInAttempts
from footprint.ledger.models import Entry
from footprint.ledger.people import LastAdministrator, note_lock_outs, set_role
from footprint.ledger.person_actions import deactivate, give_password, unlock_person
from footprint.ledger.record import Actor
from tests.cases.beside import Beside, held_open, wait_until_blocked
from tests.cases.views.pages import text_of
from tests.house import FreshDatabase
from tests.roles import client_of, client_with, person_with

PASSWORD = "a long enough word"
TESTS = Actor.command("tests")
GIVEN = re.compile(r'<code id="password">([^<]+)</code>')


@pytest.fixture(autouse=True)
def fast_hashes(settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture
def ada(db: None) -> Person:
    return person_with(Role.ADMINISTRATOR, "ada")


@pytest.fixture
def site(ada: Person) -> Client:
    return client_of(ada)


@pytest.fixture
def rui(db: None) -> Person:
    return Person.objects.create_user("rui", password=PASSWORD, first_name="Rui", role=Role.REVIEWER)


def sign_in(username: str, password: str) -> tuple[Client, int]:
    client = Client()
    return client, client.post("/sign-in", {"username": username, "password": password}).status_code


def act(site: Client, person: Person, what: str, reason: str = "") -> str:
    return site.post(
        f"/people/{person.pk}/act", {"act": what, "reason": reason}, follow=True
    ).content.decode()


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
@pytest.mark.parametrize("address", ["/people/", "/people/1/"])
def test_only_administrators_see_people(db: None, role: Role, address: str) -> None:
    client = client_with(role)
    assert client.get(address).status_code == 403
    assert 'href="/people/"' not in client.get("/").content.decode()


@pytest.mark.parametrize("address", ["role", "act"])
def test_only_administrators_change_people(rui: Person, address: str) -> None:
    client = client_with(Role.LEAD)
    assert (
        client.post(f"/people/{rui.pk}/{address}", {"act": "deactivate", "role": "lead"}).status_code == 403
    )
    rui.refresh_from_db()
    assert (rui.is_active, rui.role) == (True, "reviewer")


def test_people_are_listed_with_role_last_sign_in_and_state(site: Client, rui: Person) -> None:
    person_with(Role.READER, "gone")
    Person.objects.filter(username="gone").update(is_active=False)
    said = text_of(site.get("/people/"))
    assert "Rui rui Reviewer never active" in said
    assert "Gone gone Reader never deactivated" in said


@pytest.mark.parametrize("people", [1, 25])
def test_the_list_costs_the_same_for_many(site: Client, django_assert_num_queries, people: int) -> None:
    for number in range(people):
        person_with(Role.READER, f"reader{number}")
    with django_assert_num_queries(5):
        site.get("/people/")


def test_a_person_is_added_and_their_password_is_told_once(site: Client) -> None:
    answer = site.post("/people/", {"username": "eve", "name": "Eve Brandt", "role": "analyst"})
    (password,) = GIVEN.findall(answer.content.decode())
    assert "no-store" in answer.headers["Cache-Control"]
    assert password not in site.get("/people/").content.decode()
    entry = Entry.objects.get()
    assert (entry.event, entry.subject_name, entry.actor_name) == (
        "accounts:person:added",
        "Eve Brandt",
        "Ada",
    )
    assert password not in entry.text
    assert sign_in("eve", password)[1] == 302


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"username": "RUI"}, "already a person of this name"),
        ({"username": "a b"}, "Enter a valid username"),
        ({"username": ""}, "required"),
        ({"name": ""}, "required"),
        ({"name": "x\0"}, "nobody can see"),
        ({"role": "king"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_added_is_told_and_kept(
    site: Client, rui: Person, typed: dict[str, str], why: str
) -> None:
    answer = site.post("/people/", {"username": "eve", "name": "Eve Brandt", "role": "analyst"} | typed)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert why in page
    assert 'value="eve"' in page or 'value="Eve Brandt"' in page
    assert Person.objects.count() == 2


def test_whoever_was_given_a_password_chooses_one_first(site: Client) -> None:
    page = site.post("/people/", {"username": "eve", "name": "Eve", "role": "analyst"}).content.decode()
    (given,) = GIVEN.findall(page)
    eve, _ = sign_in("eve", given)
    assert eve.get("/cases/").headers["Location"] == "/account/password/"
    part = eve.get("/cases/", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (204, "/account/password/")
    assert "Choose a password of your own first." in text_of(eve.get("/account/password/"))
    chosen = {
        "old_password": given,
        "new_password1": "quite another word",
        "new_password2": "quite another word",
    }
    assert eve.post("/account/password/", chosen).status_code == 302
    assert eve.get("/cases/").status_code == 200
    assert sign_in("eve", given)[1] == 422
    assert Entry.objects.filter(event="accounts:password:chosen", subject_name="Eve").count() == 1


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"old_password": "wrong"}, "That is not the password of now."),
        ({"new_password2": "yet another word"}, "The two new passwords differ."),
        ({"new_password1": "short", "new_password2": "short"}, "too short"),
        ({"new_password1": PASSWORD, "new_password2": PASSWORD}, "Choose another one than now."),
    ],
)
def test_a_password_that_will_not_do_is_told_and_not_kept(
    rui: Person, typed: dict[str, str], why: str
) -> None:
    form = {
        "old_password": PASSWORD,
        "new_password1": "quite another word",
        "new_password2": "quite another word",
    }
    answer = client_of(rui).post("/account/password/", form | typed)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert "another word" not in answer.content.decode()
    assert not Entry.objects.exists()


def test_choosing_a_password_ends_every_other_session(rui: Person) -> None:
    one, other = sign_in("rui", PASSWORD)[0], sign_in("rui", PASSWORD)[0]
    form = {
        "old_password": PASSWORD,
        "new_password1": "quite another word",
        "new_password2": "quite another word",
    }
    one.post("/account/password/", form)
    assert one.get("/cases/").status_code == 200
    assert other.get("/cases/").status_code == 302


def test_a_role_changes_with_its_reason(site: Client, rui: Person) -> None:
    site.post(f"/people/{rui.pk}/role", {"role": "lead", "reason": "Leads the team now"})
    entry = Entry.objects.get()
    assert (entry.content["before"], entry.content["after"]) == ({"role": "reviewer"}, {"role": "lead"})
    assert (entry.reason, entry.actor_name) == ("Leads the team now", "Ada")


def test_the_last_administrator_keeps_the_role(site: Client, ada: Person) -> None:
    answer = site.post(f"/people/{ada.pk}/role", {"role": "reader", "reason": "Enough of it"})
    assert answer.status_code == 422
    assert "This is the last administrator." in text_of(answer)
    assert "Enough of it" in answer.content.decode()
    person_with(Role.ADMINISTRATOR, "eve")
    assert site.post(f"/people/{ada.pk}/role", {"role": "reader"}).headers["Location"] == "/account/"


@pytest.mark.parametrize("what", ["password", "deactivate"])
def test_nobody_ends_their_own_sign_in(site: Client, ada: Person, what: str) -> None:
    person_with(Role.ADMINISTRATOR, "eve")
    assert "Another administrator has to do that for you." in act(site, ada, what)
    assert site.get("/people/").status_code == 200


def test_the_last_administrator_is_not_deactivated(ada: Person) -> None:
    Person.objects.create(username="off", role=Role.ADMINISTRATOR, is_active=False)
    with pytest.raises(LastAdministrator):
        deactivate(actor=TESTS, person=ada)
    assert not Entry.objects.exists()


def test_two_administrators_cannot_deactivate_each_other_at_once(fresh_database: FreshDatabase) -> None:
    ada, eve = person_with(Role.ADMINISTRATOR, "ada"), person_with(Role.ADMINISTRATOR, "eve")
    with held_open(lambda: deactivate(actor=Actor.person(ada), person=eve)):
        other = Beside(lambda: deactivate(actor=Actor.person(eve), person=ada))
        wait_until_blocked()
    with pytest.raises(LastAdministrator):
        other.result()
    assert Person.objects.filter(is_active=True).get() == ada


def test_deactivating_ends_sessions_and_stands_in_the_ledger(site: Client, rui: Person) -> None:
    theirs = sign_in("rui", PASSWORD)[0]
    act(site, rui, "deactivate", "Left the house")
    assert theirs.get("/cases/").status_code == 302
    assert sign_in("rui", PASSWORD)[1] == 422
    entry = Entry.objects.latest("seq")
    assert (entry.event, entry.reason) == ("accounts:person:deactivated", "Left the house")
    assert (entry.content["before"], entry.content["after"]) == ({"active": True}, {"active": False})


def test_reactivating_gives_a_new_password_and_brings_no_session_back(site: Client, rui: Person) -> None:
    theirs = sign_in("rui", PASSWORD)[0]
    act(site, rui, "deactivate")
    (given,) = GIVEN.findall(act(site, rui, "reactivate"))
    assert theirs.get("/cases/").status_code == 302
    assert sign_in("rui", PASSWORD)[1] == 422
    assert sign_in("rui", given)[1] == 302
    assert Entry.objects.filter(event="accounts:person:reactivated").count() == 1


def test_doing_it_again_changes_nothing(site: Client, rui: Person) -> None:
    for what in ("reactivate", "deactivate", "deactivate"):
        assert not GIVEN.findall(act(site, rui, what))
    assert Entry.objects.count() == 1


def test_a_new_password_ends_the_old_one_and_every_session(site: Client, rui: Person) -> None:
    theirs = sign_in("rui", PASSWORD)[0]
    (given,) = GIVEN.findall(act(site, rui, "password", "Forgot the old one"))
    assert theirs.get("/cases/").status_code == 302
    assert sign_in("rui", PASSWORD)[1] == 422
    assert sign_in("rui", given)[1] == 302
    entry = Entry.objects.get(event="accounts:password:given")
    assert given not in entry.text
    assert entry.reason == "Forgot the old one"


def test_every_button_that_changes_a_person_asks_for_a_reason(site: Client, rui: Person) -> None:
    page = site.get(f"/people/{rui.pk}/").content.decode()
    forms = re.findall(r'<form[^>]*action="/people/[^"]*".*?</form>', page, re.DOTALL)
    assert len(forms) == 3
    assert all('name="reason"' in form for form in forms)


def test_somebody_deactivated_meanwhile_gets_no_password(site: Client, rui: Person) -> None:
    deactivate(actor=TESTS, person=rui)
    page = act(site, rui, "password")
    assert "deactivated this person meanwhile" in page
    assert not GIVEN.findall(page)


def lock_out(person: Person, address: str, tries: int = 6) -> None:
    for _ in range(tries):
        attempt = count_attempt(person.username, address)
        note_lock_outs(attempt=attempt, person=person, address=address, minutes=15)


def test_a_lock_out_is_shown_and_ended(site: Client, rui: Person) -> None:
    lock_out(rui, "198.51.100.7")
    lock_out(rui, "198.51.100.8", tries=2)
    assert "Rui rui Reviewer never locked out" in text_of(site.get("/people/"))
    assert "Locked out from 198.51.100.7" in text_of(site.get(f"/people/{rui.pk}/"))
    act(site, rui, "unlock", "Called from the desk")
    assert count_attempt("rui", "198.51.100.7").locked_until is None
    entry = Entry.objects.latest("seq")
    assert (entry.event, entry.content["before"], entry.reason) == (
        "accounts:person:unlocked",
        {"locked_for": ["198.51.100.7"]},
        "Called from the desk",
    )
    assert not unlock_person(actor=TESTS, person=rui)


def test_a_lock_out_that_is_over_is_not_shown(site: Client, rui: Person) -> None:
    lock_out(rui, "198.51.100.7")
    SignInAttempts.objects.update(locked_until="2020-01-01T00:00Z")
    assert "Rui rui Reviewer never active" in text_of(site.get("/people/"))


def test_only_the_attempt_that_locks_is_noted_and_nobody_unknown(rui: Person) -> None:
    lock_out(rui, "198.51.100.7", tries=9)
    assert Entry.objects.get().event == "accounts:person:locked_out"
    for _ in range(60):
        note_lock_outs(
            attempt=count_attempt("typed", "198.51.100.9"), person=None, address="198.51.100.9", minutes=15
        )
    assert Entry.objects.latest("seq").event == "accounts:address:locked_out"
    assert Entry.objects.count() == 2


def test_a_given_password_is_never_the_same(rui: Person) -> None:
    assert give_password(actor=TESTS, person=rui) != give_password(actor=TESTS, person=rui)


def test_the_command_and_the_page_change_roles_by_one_action(rui: Person) -> None:
    assert set_role(actor=TESTS, person=rui, role=Role.LEAD)
    assert not set_role(actor=TESTS, person=rui, role=Role.LEAD)


@pytest.mark.parametrize("address", ["/people/999/", "/people/999/role", "/people/999/act"])
def test_nobody_is_not_found(site: Client, address: str) -> None:
    answer = site.get(address) if address.endswith("999/") else site.post(address, {"role": "lead"})
    assert answer.status_code == 404
