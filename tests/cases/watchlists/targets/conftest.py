from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.server import Lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(token="lab") as lab:
        yield lab
