from __future__ import annotations

import pytest
from hypothesis import settings

from cases.models import Case, CaseFile
from footprint.accounts.models import Person, Role
from tests.cases.world import open_case

# A slow machine is no defect of the code under test.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def rui(db: None) -> Person:
    """A reviewer."""
    return Person.objects.create(username="rui", first_name="Rui", last_name="Alves", role=Role.REVIEWER)


@pytest.fixture
def ana(db: None) -> Person:
    """Another reviewer."""
    return Person.objects.create(username="ana", first_name="Ana", last_name="Sousa", role=Role.REVIEWER)


@pytest.fixture
def case(rui: Person) -> Case:
    return open_case(rui, "a.exe", "b.exe")


@pytest.fixture
def other_case(rui: Person) -> Case:
    return open_case(rui, "a.exe")


@pytest.fixture
def a_exe(case: Case) -> CaseFile:
    return case.files.get(key="a.exe")
