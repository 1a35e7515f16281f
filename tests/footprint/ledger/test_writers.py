from __future__ import annotations

from pathlib import Path

from footprint.ledger.models import Entry, Head
from footprint.ledger.verify import verify
from tests.house import FreshDatabase, Processes

PROCESSES, EACH, KILLS = 8, 625, 6


def test_eight_writers_of_which_one_is_killed_again_and_again_leave_no_gap_and_lose_nothing(
    fresh_database: FreshDatabase, processes: Processes, tmp_path: Path
):
    started = processes.start(
        *("-m", "tests.footprint.ledger.writers", str(tmp_path), str(PROCESSES), str(EACH), str(KILLS)),
        environment=fresh_database.environment,
    )
    assert started.process.wait(150) == 0, started.said()
    noted = [line for file in tmp_path.glob("writer-*") for line in file.read_text().splitlines()]
    assert len(noted) == PROCESSES * EACH == 5_000
    kept = set(Entry.objects.values_list("subject_name", flat=True))
    assert kept >= set(noted)
    # A commit whose note was lost with the process is there once more than it was noted, and no other.
    assert len(noted) <= Entry.objects.count() <= len(noted) + KILLS
    assert verify(file=tmp_path / "none").entries == Head.objects.get().seq == Entry.objects.count()
