from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hunts.management.commands import demo_telemetry
from hunts.telemetry.store import Store
from tests.hunts.telemetry.exports import stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def machine(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A telemetry folder of the test's own, and a small demo."""
    monkeypatch.setattr(demo_telemetry, "EVENTS", 2_000)
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"telemetry_dir": tmp_path})
    return Store(tmp_path / "local")


def test_the_demo_is_imported_once(machine: Store, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("demo_telemetry")
    rows = len(stored(machine, "FileKey"))
    call_command("demo_telemetry")

    assert 1_900 < rows <= 2_000
    assert len(stored(machine, "FileKey")) == rows
    assert "there already" in capsys.readouterr().out
    assert [path.name for path in machine.folder.parent.iterdir()] == ["local"]


def test_the_demo_is_refused_where_a_database_is_given(machine: Store, settings: Any) -> None:
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"database_url": "postgresql://db/footprint"})

    with pytest.raises(CommandError, match="DATABASE_URL"):
        call_command("demo_telemetry")

    assert machine.parquet_files() == ()
