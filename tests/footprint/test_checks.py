from __future__ import annotations

import pytest
from django.core.checks import CheckMessage
from django.db import connection

from footprint import checks
from footprint.checks import check_postgresql, check_stylesheet


def ids(messages: list[CheckMessage]) -> list[str | None]:
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


@pytest.mark.django_db
def test_a_database_that_is_new_enough_is_fine():
    assert check_postgresql(["default"]) == []


@pytest.mark.django_db
def test_an_old_database_is_refused(monkeypatch):
    monkeypatch.setattr(checks, "OLDEST_POSTGRESQL", 990_000)
    assert ids(check_postgresql(["default"])) == ["footprint.E003"]


@pytest.mark.django_db
def test_another_database_is_refused(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "sqlite")
    assert ids(check_postgresql(["default"])) == ["footprint.E001"]


def test_a_database_that_is_not_there_is_told(fresh_database):
    connection.close()
    connection.settings_dict["NAME"] = "no_such_database"
    assert ids(check_postgresql(["default"])) == ["footprint.E002"]


def test_nothing_is_asked_where_no_database_is_at_hand():
    assert check_postgresql(None) == []


def test_a_style_sheet_that_was_not_compiled_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "COMPILED", tmp_path / "app.css")
    assert ids(check_stylesheet()) == ["footprint.W001"]
