"""What other tests rely on: each gets its own real servers, and nothing it commits stays."""

from __future__ import annotations

import socket

import pytest
from celery import current_app
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from redis import Redis

from tests.house import FreshDatabase, Started, wait_until


@pytest.mark.django_db
def test_the_database_is_postgresql_18() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert cursor.fetchone()[0].startswith("18")


def test_a_fresh_database_is_migrated_and_takes_commits(fresh_database: FreshDatabase) -> None:
    ContentType.objects.create(app_label="harness", model="thing")
    connection.close()
    assert ContentType.objects.filter(app_label="harness").exists()


def test_another_fresh_database_does_not_have_them(fresh_database: FreshDatabase) -> None:
    assert not ContentType.objects.filter(app_label="harness").exists()


def test_a_worker_takes_messages(worker: Started, valkey: Redis) -> None:
    assert valkey.ping()
    worker.kill()
    assert worker.process.returncode == -9


def test_a_worker_gets_the_messages_of_its_own_test_process(worker: Started, valkey: Redis) -> None:
    current_app.send_task("hunts.tasks.requeue_stale")
    wait_until(lambda: "task_succeeded" in worker.said())


def test_other_machines_are_out_of_reach() -> None:
    with socket.socket() as other, pytest.raises(PermissionError):
        other.connect(("192.0.2.1", 80))
