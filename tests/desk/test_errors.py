from __future__ import annotations

import re

import pytest
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from footprint.desk.views import inbox
from footprint.desk.views.errors import TROUBLES
from tests.cases.views.pages import text_of

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
def quiet_site(site: Client) -> Client:
    """Answers as the real site does, where the test client would raise."""
    site.raise_request_exception = False
    return site


def broken(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    def fail(*args: object, **options: object) -> None:
        raise fault

    monkeypatch.setattr(inbox, "render", fail)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (BadRequest("This is not a number."), 400),
        (SuspiciousOperation("internal words"), 400),
        (PermissionDenied(), 403),
        (ZeroDivisionError("internal words"), 500),
        (OperationalError("server closed the connection unexpectedly"), 503),
    ],
)
def test_trouble_has_a_page_with_the_number_of_the_request(
    quiet_site: Client, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int
) -> None:
    broken(monkeypatch, fault)
    answer = quiet_site.get("/")
    said = text_of(answer)
    assert answer.status_code == status
    assert TROUBLES[status].title in said
    assert UUID.search(said)
    assert "internal words" not in said
    assert "unexpectedly" not in said


def test_our_own_words_about_a_bad_request_are_told(
    quiet_site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, BadRequest("This is not a number."))
    assert "This is not a number." in text_of(quiet_site.get("/"))


def test_a_page_that_is_not_there(client: Client) -> None:
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert "/nothing/here" in text_of(answer)


def test_html_in_an_address_is_text(client: Client) -> None:
    assert "<img" not in client.get("/<img src=x onerror=alert(1)>").content.decode()


def test_a_refused_method_has_a_page_and_says_what_is_taken(site: Client) -> None:
    answer = site.post("/cases/")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert TROUBLES[405].title in text_of(answer)


def test_a_form_without_its_token_is_refused_in_words() -> None:
    answer = Client(enforce_csrf_checks=True).post("/sign-in", {"username": "rui"})
    assert answer.status_code == 403
    assert "reload the page" in text_of(answer)


@pytest.mark.parametrize("address", ["/nothing/here", "/static/nothing.css"])
def test_an_error_page_asks_nothing_of_the_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, db: None, address: str
) -> None:
    with django_assert_num_queries(0):
        client.get(address)


def test_a_page_is_there_while_the_database_is_not(
    quiet_site: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = quiet_site.get("/")
    monkeypatch.undo()
    assert answer.status_code == 503
    assert "does not answer" in text_of(answer)
