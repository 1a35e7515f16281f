"""What make does before there is anything to run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from footprint.configuration import CHECKOUT

# Passes for Python 3.11 but lacks the module venv, as Debian's does without python3-venv.
NO_VENV = '#!/bin/sh\ncase "$2" in *venv*) exit 1 ;; esac\n'
TOO_OLD = "#!/bin/sh\nexit 1\n"
ABSENT_PACKAGE = "no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose locks name nothing."""
    return bare_checkout(tmp_path / "check out")


@pytest.fixture(scope="session")
def made_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = bare_checkout(tmp_path_factory.mktemp("made") / "check out")
    assert make_venv(made).returncode == 0
    return made


@pytest.fixture
def with_venv(made_checkout: Path, tmp_path: Path) -> Path:
    """A checkout that has its environment."""
    return Path(shutil.copytree(made_checkout, tmp_path / "with venv", symlinks=True))


def bare_checkout(folder: Path) -> Path:
    (folder / "requirements").mkdir(parents=True)
    shutil.copy(CHECKOUT / "requirements" / "make-venv", folder / "requirements")
    for name in ("run", "dev"):
        (folder / "requirements" / f"{name}.lock").write_text("# nothing\n")
    return folder


def make_venv(checkout: Path, kind: str = "run", **environment: str) -> subprocess.CompletedProcess[str]:
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PYTHON": sys.executable}
    return subprocess.run(
        ["requirements/make-venv", kind],
        cwd=checkout,
        env=os.environ | offline | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def program(folder: Path, text: str) -> str:
    path = folder / "python"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def stamps(checkout: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (checkout / ".venv").glob(".*-*")}


def test_a_second_start_does_nothing(with_venv):
    before = stamps(with_venv)
    assert len(before) == 1
    second = make_venv(with_venv, PYTHON="/nowhere/python")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert stamps(with_venv) == before


def test_another_lock_is_installed_again(with_venv):
    before = stamps(with_venv)
    (with_venv / "requirements" / "run.lock").write_text("# something else\n")
    assert "Installing" in make_venv(with_venv).stdout
    assert len(stamps(with_venv)) == 1
    assert set(stamps(with_venv)).isdisjoint(before)


def test_what_is_installed_for_tests_is_enough_to_run(with_venv):
    (with_venv / "requirements" / "run.lock").write_text("# something else\n")
    assert make_venv(with_venv, "dev").returncode == 0
    assert make_venv(with_venv, "run").stdout == ""


def test_a_half_made_environment_is_made_anew(checkout):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    program(checkout / ".venv" / "bin", TOO_OLD)
    assert make_venv(checkout).returncode == 0
    python = checkout / ".venv" / "bin" / "python"
    assert (
        subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode == 0
    )


def test_an_old_python_is_one_sentence(checkout, tmp_path):
    made = make_venv(checkout, PYTHON=program(tmp_path, TOO_OLD))
    assert made.returncode == 1
    assert made.stderr.startswith("Footprint needs Python 3.11 or newer")
    assert len(made.stderr.splitlines()) == 1


def test_a_python_without_venv_is_one_sentence(checkout, tmp_path):
    made = make_venv(checkout, PYTHON=program(tmp_path, NO_VENV))
    assert made.returncode == 1
    assert "python3-venv" in made.stderr
    assert len(made.stderr.splitlines()) == 1


def test_what_cannot_be_installed_is_not_taken_for_done(with_venv):
    (with_venv / "requirements" / "run.lock").write_text(ABSENT_PACKAGE)
    made = make_venv(with_venv)
    assert made.returncode == 1
    assert "cannot be installed" in made.stderr.splitlines()[-1]
    assert stamps(with_venv) == {}


def test_help_names_every_target():
    said = subprocess.run(
        ["make", "--silent"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("demo", "test", "lint", "css", "lock", "clean"):
        assert f"  make {target} " in said
