from __future__ import annotations

import pytest
from django.test import Client

from footprint.accounts.models import Person
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
