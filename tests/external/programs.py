"""Zones as the programs that are to load them see them: `make test-external`.

No file of a test, so that `make test` does not need these programs. Here a missing one fails.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cases.watchlists.formats import ListEntry, Published
from tests.cases.watchlists.test_formats import ALLOWS, BLOCKS, ENTRY, FIXED, allowed, rendered

MANY = 20_000


def many() -> list[ListEntry]:
    names = [ENTRY._replace(value=f"n{number:05}.example", decision=number) for number in range(MANY)]
    return [*FIXED, *names]


@pytest.mark.parametrize(
    ("of", "entries", "serial"),
    [
        (BLOCKS, FIXED, 148),
        (ALLOWS, allowed(FIXED), 12),
        (BLOCKS, [], 148),
        (BLOCKS, many(), 148),
    ],
    ids=["blocks", "allows", "empty", "many"],
)
def test_named_checkzone_loads_it(
    of: Published, entries: list[ListEntry], serial: int, tmp_path: Path
) -> None:
    zone = tmp_path / "footprint.zone"
    zone.write_bytes(rendered("rpz", *entries, of=of)[0])
    checked = subprocess.run(
        ["named-checkzone", "rpz.footprint", str(zone)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"loaded serial {serial}\nOK" in checked.stdout
