"""What nobody can see is taken by no text field of any page: it is told there, and nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest
from django.db import transaction
from django.test import Client

from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from tests.cases.watchlists.worlds import allow_lab
from tests.forms import SentForm, forms_of
from tests.furnished import House, furnished
from tests.lab.server import Lab
from tests.roles import client_of, person_with

HIDDEN = {
    "NUL": "a\0b",
    "a bell": "a\x07b",
    "a mark that turns": "a\u202eb",
    "a space without width": "a\u200bb",
}
# File names and lines of a list are kept as they are, and told line by line; a password may be anything.
ANYTHING = {"files", "pasted", "password", "old_password", "new_password1", "new_password2"}
# Buttons beside a reason that they do not send on.
WITHOUT_REASON = {"discard", "approve", "dry-run", "reconcile", "resume"}
# What is needed beside the text in question, where an x is no answer.
SOUND = {"look_back": "30 days", "files": "b.exe", "slug": "new-one", "cron": "0 6 * * *", "time_zone": "UTC"}
SAID = re.compile(r"nobody can see|[Nn]ull characters|control character", re.IGNORECASE)


@pytest.fixture
def house(db: None, monkeypatch: pytest.MonkeyPatch, valkey: object) -> Iterator[House]:
    allow_lab(monkeypatch)
    with Lab(token="lab") as lab:
        yield furnished(lab)


def client_for(role: Role) -> Client:
    found = Person.objects.filter(role=role).first()
    return client_of(found or person_with(role, f"some-{role.value}"))


def shown_to(house: House, name: str) -> tuple[Client, list[SentForm]]:
    role, address = house.pages[name]
    client = client_for(role)
    page = client.get(address)
    assert page.status_code == 200, (name, page.status_code)
    return client, forms_of(page.content.decode(), address)


def test_no_text_field_takes_what_nobody_can_see(house: House) -> None:
    taken = []
    for name in house.pages:
        client, forms = shown_to(house, name)
        for form in forms:
            if form.method == "post":
                taken += [f"{name}: {each}" for each in taken_by(client, form)]
    assert taken == []


def taken_by(client: Client, form: SentForm) -> Iterator[str]:
    for way in form.ways():
        for text in form.texts:
            act = way.get("act", "")
            if text in ANYTHING or act in WITHOUT_REASON or "look" in way:
                continue
            for what, typed in HIDDEN.items():
                entries = Entry.objects.count()
                with transaction.atomic():
                    answer = client.post(form.action, {**way, **SOUND, text: typed})
                    is_written = Entry.objects.count() != entries
                    transaction.set_rollback(True)
                page = answer.content.decode()
                is_told = bool(SAID.search(page)) or f'id="id_{text}_error"' in page
                if is_written or answer.status_code not in {400, 409, 422} or not is_told:
                    yield f"{what} as {text} of {form.action} {act}: {answer.status_code}"


def test_no_search_breaks_on_what_nobody_can_see(house: House) -> None:
    sent, broken = set(), []
    for name in house.pages:
        client, forms = shown_to(house, name)
        for form in forms:
            for text, (what, typed) in product(form.texts, HIDDEN.items()):
                asked = (form.action, text, what)
                if form.method == "get" and asked not in sent:
                    sent.add(asked)
                    answer = client.get(form.action, {**form.given, text: typed})
                    if answer.status_code >= 500:
                        broken.append(asked)
    assert len(sent) > 20
    assert broken == []


@pytest.mark.parametrize("typed", HIDDEN.values(), ids=HIDDEN)
def test_nobody_signs_in_with_a_name_that_cannot_be_seen(client: Client, db: None, typed: str) -> None:
    answer = client.post("/sign-in", {"username": typed, "password": "x"})
    assert (answer.status_code, "sessionid" in answer.cookies) == (422, False)


def test_a_reason_for_an_act_on_a_person_comes_back_where_it_was_typed(db: None) -> None:
    ana = person_with(Role.REVIEWER, "ana")
    answer = client_for(Role.ADMINISTRATOR).post(
        f"/people/{ana.pk}/act", {"act": "deactivate", "reason": "left\u202e us"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'id="active-reason_error"' in page
    assert 'value="left\u202e us"' in page
    assert 'id="sign-in-reason_error"' not in page
    ana.refresh_from_db()
    assert ana.is_active


def test_a_reason_to_pause_all_publishing_comes_back(db: None) -> None:
    answer = client_for(Role.LEAD).post("/watchlists/publishing", {"act": "pause", "why": "a\u202eb"})
    assert answer.status_code == 422
    assert 'value="a\u202eb"' in answer.content.decode()
