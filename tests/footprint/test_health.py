from __future__ import annotations

import pytest
from celery import Celery
from django.db import connections

from footprint import health
from tests.house import free_port


@pytest.mark.django_db
def test_health_needs_no_sign_in(client, valkey):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "database": "ok", "broker": "ok"}


@pytest.mark.django_db
def test_a_broker_that_does_not_answer_is_said(client, settings):
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "failing", "database": "ok", "broker": "does not answer"}


def test_a_database_that_does_not_answer_is_said(client, valkey, fresh_database):
    connections.close_all()
    connections["default"].settings_dict["NAME"] = "no_such_database"
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "failing", "database": "does not answer", "broker": "ok"}


@pytest.mark.django_db
def test_health_is_read_only(client):
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_health_is_never_kept_by_a_cache(client):
    assert "no-store" in client.get("/healthz").headers["Cache-Control"]


def test_the_broker_of_celery_and_of_health_is_the_same(valkey, settings):
    with Celery(broker=settings.CELERY_BROKER_URL, set_as_current=False).connection() as connection:
        connection.default_channel.client.set("footprint-test", "here")
    assert valkey.get("footprint-test") == b"here"
    assert health.broker_answers()
