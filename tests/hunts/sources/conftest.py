from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.hunts.parquet import write_parquet
from tests.lab.server import Lab

OpenLab = Callable[..., Lab]


@pytest.fixture
def open_lab(tmp_path: Path) -> Iterator[OpenLab]:
    """A lab over these rows, closed when the test ends."""
    with ExitStack() as stack:

        def open_it(rows: Iterable[Mapping[str, Any]] = (), **options: Any) -> Lab:
            return stack.enter_context(Lab([write_parquet(tmp_path / "lab.parquet", rows)], **options))

        yield open_it
