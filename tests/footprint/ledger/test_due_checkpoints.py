from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from structlog.testing import capture_logs

from footprint.ledger.keys import signing_key
from footprint.ledger.models import Checkpoint
from footprint.ledger.sealing import make_checkpoint
from footprint.ledger.tasks import make_due_checkpoint


@pytest.fixture(autouse=True)
def file(db: None, tmp_path: Path, settings) -> Path:
    path = tmp_path / "checkpoints.jsonl"
    settings.FOOTPRINT = django_settings.FOOTPRINT.model_copy(
        update={"data_dir": tmp_path, "checkpoint_file": path}
    )
    return path


def checkpoint_made(ago: timedelta) -> None:
    """Only its column tells how old it is; what was signed is from now."""
    sealed = make_checkpoint()
    Checkpoint.objects.create(
        seq=sealed.seq, at=timezone.now() - ago, key=sealed.key, text=sealed.text, signature=sealed.signature
    )


@pytest.mark.parametrize(("minutes", "made"), [(59, 0), (61, 1), (-1, 1)])
def test_a_checkpoint_is_made_when_the_last_one_is_an_hour_old(minutes: int, made: int):
    checkpoint_made(timedelta(minutes=minutes))
    before = Checkpoint.objects.count()
    make_due_checkpoint()
    assert Checkpoint.objects.count() - before == made


def test_the_first_checkpoint_is_due_at_once(file: Path):
    make_due_checkpoint()
    make_due_checkpoint()
    assert len(file.read_text().splitlines()) == Checkpoint.objects.count() == 1


def test_how_often_is_a_setting(settings):
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"checkpoint_minutes": 5})
    checkpoint_made(timedelta(minutes=6))
    make_due_checkpoint()
    assert Checkpoint.objects.count() == 3


def test_one_that_cannot_be_made_is_logged_and_tried_again(file: Path):
    signing_key()
    file.mkdir()
    with capture_logs() as logs:
        make_due_checkpoint()
    assert [line["event"] for line in logs] == ["checkpoint_not_made"]
    assert "cannot be written" in logs[0]["error"]
    file.rmdir()
    make_due_checkpoint()
    assert Checkpoint.objects.count() == 1
