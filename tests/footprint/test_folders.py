from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from footprint.configuration import CHECKOUT
from footprint.embedded import Home
from footprint.processes import any_works_in
from tests import folders
from tests.folders import make_folder, remove_folder, sweep_folders

# A test run that is killed while it uses its servers.
KILLED = """
import os, signal
from footprint.embedded import Hold, Home
from tests.folders import make_folder
folder, lock = make_folder()
with Hold(Home(folder), durable=False):
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Other runs on this machine are left alone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_what_a_killed_run_left_is_ended_and_removed():
    run = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=CHECKOUT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    folder = Path(run.stdout.strip())
    assert any_works_in(folder / "postgres")
    assert any_works_in(folder / "valkey")
    sweep_folders()
    assert not folder.exists()
    assert not Home(folder).run_dir.exists()
    assert not any_works_in(folder / "postgres")
    assert not any_works_in(folder / "valkey")


def test_a_run_that_is_still_on_is_left_alone():
    folder, lock = make_folder()
    with lock:
        sweep_folders()
        assert folder.exists()
    sweep_folders()
    assert not folder.exists()


def test_a_folder_is_removed_where_no_server_was_started():
    folder, lock = make_folder()
    with lock:
        remove_folder(folder)
    assert list(folder.parent.glob(f"{folders.PREFIX}*")) == []
