"""Uploads and what workers make of them, without browsers."""

from __future__ import annotations

import gzip
import os
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from footprint.accounts.models import Person, Role
from footprint.ledger.events import Event
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from hunts import store_sweep, store_work, uploads
from hunts.adapters import store_of
from hunts.importing import import_upload, summary_from
from hunts.models import Removal, Source, Upload
from hunts.source_actions import add_source
from hunts.telemetry.holdings import rows_by_import
from hunts.telemetry.importing import import_files
from hunts.telemetry.progress import ImportSummary
from hunts.upkeep import ask_removal, do_removal
from hunts.uploads import Announced, CannotUpload, WrongPiece
from tests.hunts.telemetry_lines import days_ago, event, write_lines
from tests.roles import person_with

Send = Callable[..., Upload]


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def source(db: None, tmp_path: Path) -> Source:
    return add_source(actor=Actor.command("tests"), slug=f"u-{tmp_path.name}"[:50], kind="local")


def announced(name: str, data: bytes) -> Announced:
    return Announced(name, len(data), sha256(data[: uploads.PIECE_BYTES]).hexdigest())


def lines(*events: dict[str, object], folder: Path) -> bytes:
    return write_lines(folder / "made.jsonl", events).read_bytes()


@pytest.fixture
def send(lea: Person, source: Source) -> Send:
    """Sends files whole, by name."""

    def send_them(**files: bytes) -> Upload:
        upload = uploads.open_upload(
            actor=lea, source=source, files=[announced(name, data) for name, data in files.items()]
        )
        for file, data in zip(upload.files.all(), files.values(), strict=True):
            for offset in range(0, len(data), uploads.PIECE_BYTES):
                piece = data[offset : offset + uploads.PIECE_BYTES]
                uploads.receive_piece(file_id=file.pk, offset=offset, data=piece)
        upload.refresh_from_db()
        return upload

    return send_them


def imported(upload: Upload) -> Upload:
    import_upload(upload.pk, "a worker")
    upload.refresh_from_db()
    return upload


def summary_of(upload: Upload) -> ImportSummary:
    assert upload.summary is not None
    return summary_from(upload.summary)


def test_an_uploads_summary_says_what_the_store_says(send: Send, source: Source, tmp_path: Path) -> None:
    first = lines(
        event("a.exe", days_ago(0), "203.0.113.1"),
        event("B.exe", days_ago(1), "203.0.113.2", DeviceId="device-2"),
        folder=tmp_path,
    )
    upload = imported(send(one=first, two=first + b"nonsense\n"))

    assert (upload.state, upload.said) == (Upload.State.DONE, "")
    summary, store = summary_of(upload), store_of(source)
    assert (summary.rows_read, summary.new_rows, summary.doubles, summary.bad_lines) == (4, 2, 2, 1)
    assert (summary.devices, summary.names) == (2, 2)
    assert rows_by_import(store) == {summary.import_id: sum(store.days().values())}
    assert store.imports()[0].files == ("one", "two")
    assert not uploads.folder_of(upload).exists()
    entry = Entry.objects.get(event=Event.TELEMETRY_IMPORTED)
    assert entry.actor_name == "Lea"


def test_the_same_files_again_go_on_where_they_stopped(lea: Person, source: Source) -> None:
    data = bytes(uploads.PIECE_BYTES) + b"rest"
    files = [announced("big.csv", data)]
    begun = uploads.open_upload(actor=lea, source=source, files=files)
    uploads.receive_piece(file_id=begun.files.get().pk, offset=0, data=data[: uploads.PIECE_BYTES])

    again = uploads.open_upload(actor=lea, source=source, files=files)
    other = uploads.open_upload(actor=lea, source=source, files=[announced("big.csv", data[::-1])])

    assert (again.pk, again.files.get().received) == (begun.pk, uploads.PIECE_BYTES)
    assert other.pk != begun.pk


def test_a_piece_that_does_not_fit_says_where_to_go_on(lea: Person, source: Source) -> None:
    upload = uploads.open_upload(actor=lea, source=source, files=[announced("a", b"abcdef")])
    file = upload.files.get()
    for offset, data in ((3, b"def"), (0, b""), (0, b"abcdefg"), (0, b"abc")):
        with pytest.raises(WrongPiece) as refused:
            uploads.receive_piece(file_id=file.pk, offset=offset, data=data)
        assert refused.value.received == 0
    _, taken = uploads.receive_piece(file_id=file.pk, offset=0, data=b"abcdef")
    assert taken.state == Upload.State.WAITING
    with pytest.raises(WrongPiece, match="takes no more"):
        uploads.receive_piece(file_id=file.pk, offset=6, data=b"x")


def test_names_lead_nowhere_on_the_disk(send: Send, source: Source, tmp_path: Path) -> None:
    data = lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path)
    upload = send(**{"../../../../etc/passwd": data})
    [file] = uploads.folder_of(upload).iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == ("1", 0o600)
    assert uploads.folder_of(upload).stat().st_mode & 0o777 == 0o700
    imported(upload)
    assert store_of(source).imports()[0].files == ("../../../../etc/passwd",)


BEGINNING = b'{"category": "AdvancedHunting-DeviceNetworkEvents", "properties": {}}\n'


def zipped(name: str, data: bytes) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(BEGINNING + bytes(80_000_000)), "unpacks to more than"),
        (zipped("inner.zip", zipped("a", b"b")), "archive inside an archive"),
        (zipped("../out", b"x"), "points outside"),
        (b"%PDF-1.7 and so on\n", ""),
        (b"", "empty"),
    ],
    ids=["bomb", "nested", "outside", "no telemetry", "empty"],
)
def test_one_file_that_cannot_be_read_is_named_and_nothing_is_imported(
    send: Send, source: Source, tmp_path: Path, data: bytes, reason: str
) -> None:
    good = lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path)
    upload = imported(send(good=good, bad=data))
    assert upload.state == Upload.State.FAILED
    [refused] = upload.refusals
    assert refused["file"].startswith("bad")
    assert refused["reason"]
    assert reason in refused["reason"]
    assert (store_of(source).imports(), uploads.folder_of(upload).exists()) == ((), False)
    assert Entry.objects.filter(event=Event.UPLOAD_FAILED).count() == 1


def test_what_is_too_large_is_refused_before_it_is_sent(lea: Person, source: Source) -> None:
    with pytest.raises(CannotUpload, match="one upload may have 10,000 MB"):
        uploads.open_upload(actor=lea, source=source, files=[Announced("a", uploads.most_bytes() + 1)])
    with pytest.raises(CannotUpload, match="100 go at once"):
        uploads.open_upload(actor=lea, source=source, files=[Announced("a", 1)] * 101)
    assert not Upload.objects.exists()


def test_an_upload_that_nobody_goes_on_with_is_removed(lea: Person, source: Source) -> None:
    left, fresh = (
        uploads.open_upload(actor=lea, source=source, files=[announced(name, b"abc")]) for name in "ab"
    )
    Upload.objects.filter(pk=left.pk).update(moved_at=timezone.now() - timedelta(hours=25))
    uploads.remove_abandoned()
    left.refresh_from_db()
    fresh.refresh_from_db()
    assert (left.state, fresh.state) == (Upload.State.ABANDONED, Upload.State.RECEIVING)
    assert (uploads.folder_of(left).exists(), uploads.folder_of(fresh).exists()) == (False, True)


def test_the_folder_of_another_databases_upload_is_left_alone_while_it_may_go_on(
    lea: Person, source: Source
) -> None:
    upload = uploads.open_upload(actor=lea, source=source, files=[announced("a", b"abc")])
    folder = uploads.folder_of(upload)
    # The other database knows an upload of the same number, which has ended.
    Upload.objects.filter(pk=upload.pk).update(
        state=Upload.State.DONE, asked_at=timezone.now() - timedelta(minutes=1)
    )
    uploads.remove_abandoned()
    assert folder.exists()
    long_ago = time.time() - 25 * 3600
    (folder / "1").write_bytes(b"a piece")
    os.utime(folder, (long_ago, long_ago))
    uploads.remove_abandoned()
    assert folder.exists()
    os.utime(folder / "1", (long_ago, long_ago))
    os.utime(folder, (long_ago, long_ago))
    uploads.remove_abandoned()
    assert not folder.exists()


def test_who_lost_the_lease_makes_nothing_visible(
    send: Send, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = send(a=lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path))
    held = store_work.claim(Upload, upload.pk, "slow")
    assert held is not None
    Upload.objects.filter(pk=upload.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    store_work.take_back_lost()
    monkeypatch.setattr(store_work, "claim", lambda *_: held)
    import_upload(upload.pk, "slow")
    assert store_of(source).imports() == ()
    monkeypatch.undo()
    assert imported(upload).state == Upload.State.DONE
    assert len(store_of(source).imports()) == 1


def test_a_worker_lost_after_the_rows_are_visible_imports_nothing_twice(
    send: Send, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = send(a=lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path))

    def vanish(_: object) -> None:
        raise store_work.FencedOff

    monkeypatch.setattr("hunts.importing._finish", vanish)
    import_upload(upload.pk, "doomed")
    monkeypatch.undo()
    Upload.objects.filter(pk=upload.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    store_work.take_back_lost()

    assert imported(upload).state == Upload.State.DONE
    assert len(store_of(source).imports()) == 1
    assert summary_of(upload).new_rows == 1


@pytest.mark.parametrize("trouble", [OSError("The disk is full"), SoftTimeLimitExceeded()])
def test_an_import_that_is_in_trouble_once_its_rows_are_visible_is_done(
    send: Send, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    upload = send(a=lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path))

    def in_trouble(*arguments: Any, **options: Any) -> None:
        import_files(*arguments, **options)
        raise trouble

    monkeypatch.setattr("hunts.importing.import_files", in_trouble)
    import_upload(upload.pk, "a worker")
    upload.refresh_from_db()
    assert (upload.state, upload.said) == (Upload.State.DONE, "")
    assert Entry.objects.latest("seq").event == "hunts:telemetry:imported"


def test_work_that_costs_too_many_workers_is_given_up(send: Send) -> None:
    upload = send(a=b"abc")
    for _ in range(store_work.MOST_LOSSES):
        assert store_work.claim(Upload, upload.pk, "doomed") is not None
        Upload.objects.filter(pk=upload.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        store_work.take_back_lost()
    upload.refresh_from_db()
    assert (upload.state, "vanished" in upload.said) == (Upload.State.FAILED, True)
    store_sweep.sweep()
    assert not uploads.folder_of(upload).exists()


def test_work_that_is_visible_is_ended_however_many_workers_it_cost(
    send: Send, source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = send(a=lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path))

    def vanish(*_: object) -> None:
        raise store_work.FencedOff

    def lose(work: Upload | Removal) -> None:
        type(work).objects.filter(pk=work.pk).update(
            losses=store_work.MOST_LOSSES - 1, lease_until=timezone.now() - timedelta(seconds=1)
        )
        store_work.take_back_lost()

    with monkeypatch.context() as lost:
        lost.setattr("hunts.importing._finish", vanish)
        import_upload(upload.pk, "doomed")
    lose(upload)
    assert imported(upload).state == Upload.State.DONE
    assert Entry.objects.latest("seq").event == Event.TELEMETRY_IMPORTED

    [record] = store_of(source).imports()
    removal = ask_removal(actor=upload.asked_by, source=source, record=record)
    with monkeypatch.context() as lost:
        lost.setattr("hunts.upkeep._finish", vanish)
        do_removal(removal.pk, "doomed")
    lose(removal)
    do_removal(removal.pk, "a worker")
    removal.refresh_from_db()
    assert (removal.state, removal.rows) == (Removal.State.DONE, 1)
    assert Entry.objects.latest("seq").event == Event.IMPORT_REMOVED


def test_one_piece_of_work_is_done_to_a_store_at_a_time(send: Send, source: Source, tmp_path: Path) -> None:
    data = lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path)
    first, second = send(a=data), send(b=data)
    held = store_work.claim(Upload, first.pk, "busy")
    assert held is not None

    assert imported(second).state == Upload.State.WAITING
    assert store_work.forgotten(Upload) == []

    store_work.hand_back(held)
    assert imported(second).state == Upload.State.DONE
    assert imported(first).state == Upload.State.DONE


def test_no_worker_waits_for_a_command_that_changes_the_store(
    send: Send, source: Source, tmp_path: Path
) -> None:
    upload = send(a=lines(event("a.exe", days_ago(0), "203.0.113.1"), folder=tmp_path))
    imported(upload)
    [record] = store_of(source).imports()
    removal = ask_removal(actor=upload.asked_by, source=source, record=record)
    other = send(b=lines(event("b.exe", days_ago(0), "203.0.113.2"), folder=tmp_path))
    Source.objects.filter(pk=source.pk).update(keep_days=30)

    with store_of(source).writing():
        do_removal(removal.pk, "a worker")
        imported(other)
        store_sweep.tend_stores()
    removal.refresh_from_db()
    assert (removal.state, other.state) == (Removal.State.WAITING, Upload.State.WAITING)
    assert (removal.losses, other.losses) == (0, 0)

    do_removal(removal.pk, "a worker")
    imported(other)
    removal.refresh_from_db()
    assert (removal.state, other.state) == (Removal.State.DONE, Upload.State.DONE)


@settings_of_hypothesis(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.binary(min_size=1, max_size=60),
    steps=st.lists(st.tuples(st.integers(-3, 60), st.integers(0, 60))),
)
def test_whatever_pieces_come_the_file_is_what_was_announced(
    lea: Person, source: Source, data: bytes, steps: list[tuple[int, int]]
) -> None:
    """Pieces anywhere, twice and too long: those that count lie one behind the other."""
    upload = uploads.open_upload(actor=lea, source=source, files=[Announced("a", len(data))])
    file, there = upload.files.get(), 0
    for offset, length in [*steps, (0, 60), (there, 60)]:
        piece = data[max(0, offset) :][:length]
        try:
            taken, _ = uploads.receive_piece(file_id=file.pk, offset=offset, data=piece)
            counts, said = True, taken.received
        except WrongPiece as error:
            counts, said = False, error.received
        assert counts == (offset == there < len(data) and bool(piece))
        there = there + len(piece) if counts else there
        assert said == there
        on_disk = uploads.path_of(file)
        assert (on_disk.read_bytes() if on_disk.exists() else b"") == data[:there]
    if there < len(data):
        uploads.receive_piece(file_id=file.pk, offset=there, data=data[there:])
    assert uploads.path_of(file).read_bytes() == data
    Upload.objects.filter(pk=upload.pk).delete()
