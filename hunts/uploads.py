"""Uploads: files that come piece by piece and are kept on the disk until a worker has imported them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.db.models.functions import Now

from footprint.accounts.models import Person
from hunts.models import Source, Upload, UploadedFile

PIECE_BYTES = 1024 * 1024
MOST_FILES = 100
LONGEST_NAME = 255
# What the importer and the database need beside the files that are kept here.
_ROOM_TO_SPARE = 512 * 1024 * 1024


class CannotUpload(Exception):
    """What is wrong with the files, for the person who sent them."""


class WrongPiece(Exception):
    """A piece that does not go on where the file ends; `received` is where it does."""

    def __init__(self, said: str, received: int) -> None:
        super().__init__(said)
        self.received = received


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that is to come. `first_piece` is the SHA-256 of its first piece, or empty."""

    name: str
    size: int
    first_piece: str = ""


def most_bytes() -> int:
    return settings.FOOTPRINT.upload_mb * 1_000_000


def folder_of(upload: Upload) -> Path:
    return _uploads_folder() / _folder_name(upload)


def path_of(file: UploadedFile) -> Path:
    """Of the file's number and nothing that a browser said."""
    return folder_of(file.upload) / str(file.number)


def open_upload(*, actor: Person, source: Source, files: Sequence[Announced]) -> Upload:
    """Begins an upload or, where the same person began one of the same files, goes on with it."""
    check_announced(files)
    with transaction.atomic():
        # Two tabs that begin at once are one after the other.
        Source.objects.select_for_update().get(pk=source.pk)
        begun = _begun(actor, source, files)
        if begun is not None:
            return begun
        check_room(sum(file.size for file in files))
        upload = Upload.objects.create(source=source, asked_by=actor, state=Upload.State.RECEIVING)
        UploadedFile.objects.bulk_create(
            UploadedFile(
                upload=upload, number=number, name=file.name, size=file.size, first_piece=file.first_piece
            )
            for number, file in enumerate(files, start=1)
        )
    _make_folder(upload)
    _end_receiving(upload)
    return upload


def check_announced(files: Sequence[Announced]) -> None:
    """Raises CannotUpload."""
    if not files:
        raise CannotUpload("Choose at least one file.")
    if len(files) > MOST_FILES:
        raise CannotUpload(f"These are {len(files):,} files; {MOST_FILES} go at once. Zip them.")
    if any(file.size < 0 or not file.name or len(file.name) > LONGEST_NAME for file in files):
        raise CannotUpload(f"A file needs a name of at most {LONGEST_NAME} characters and a size.")
    check_size(sum(file.size for file in files))


def check_room(total: int) -> None:
    free = shutil.disk_usage(_uploads_folder()).free - _owed()
    if total + _ROOM_TO_SPARE > free:
        raise CannotUpload(
            f"The disk of this site has no room for {total / 1e6:,.1f} MB more. Nothing was sent."
        )


def check_size(total: int) -> None:
    if total > most_bytes():
        raise CannotUpload(
            f"These are {total / 1e6:,.1f} MB; one upload may have {settings.FOOTPRINT.upload_mb:,} MB."
            " Pack them as zip or gzip, or send fewer at a time."
        )


def receive_piece(*, file_id: int, offset: int, data: bytes) -> tuple[UploadedFile, Upload]:
    """Puts a piece behind what is there. It counts once it is on the disk. Raises WrongPiece."""
    with transaction.atomic():
        file = UploadedFile.objects.select_for_update(of=("self",)).select_related("upload").get(pk=file_id)
        if file.upload.state != Upload.State.RECEIVING:
            raise WrongPiece(f"Upload {file.upload_id} takes no more pieces.", file.received)
        if offset != file.received:
            raise WrongPiece(f"{file.received} bytes are there, not {offset}.", file.received)
        if not data or offset + len(data) > file.size:
            raise WrongPiece(f"The file has {file.size} bytes.", file.received)
        if offset == 0 and file.first_piece and sha256(data).hexdigest() != file.first_piece:
            raise WrongPiece("The file is not the one that was announced.", 0)
        _write(path_of(file), offset, data)
        file.received = offset + len(data)
        file.save(update_fields=["received"])
        Upload.objects.filter(pk=file.upload_id).update(moved_at=Now(), version=F("version") + 1)
    if file.received == file.size:
        _end_receiving(file.upload)
    return file, file.upload


def begin_whole(*, actor: Person, source: Source) -> Upload:
    """An upload whose files come in one request: `new_file` and `take_whole`, or `abandon`."""
    upload = Upload.objects.create(source=source, asked_by=actor, state=Upload.State.RECEIVING)
    _make_folder(upload)
    return upload


def new_file(upload: Upload, number: int) -> BinaryIO:
    handle = os.open(folder_of(upload) / str(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(handle, "wb")


def take_whole(upload: Upload, files: Sequence[Announced]) -> None:
    """The files lie in the upload's folder, by their numbers."""
    with transaction.atomic():
        UploadedFile.objects.bulk_create(
            UploadedFile(upload=upload, number=number, name=file.name, size=file.size, received=file.size)
            for number, file in enumerate(files, start=1)
        )
    _end_receiving(upload)


def abandon(*, upload: Upload) -> bool:
    """Ends an upload whose files have not all come. Whether there was one to end."""
    ended = Upload.objects.filter(pk=upload.pk, state=Upload.State.RECEIVING).update(
        state=Upload.State.ABANDONED, ended_at=Now(), version=F("version") + 1
    )
    if ended:
        shutil.rmtree(folder_of(upload), ignore_errors=True)
    return bool(ended)


def remove_abandoned() -> None:
    """Uploads that nobody went on with, and files of uploads that have ended."""
    long_ago = Now() - timedelta(hours=settings.FOOTPRINT.upload_hours)
    for upload in Upload.objects.filter(state=Upload.State.RECEIVING, moved_at__lt=long_ago):
        abandon(upload=upload)
    for path in _left_over():
        shutil.rmtree(path, ignore_errors=True)


def _left_over() -> list[Path]:
    """Folders of uploads that have ended. One that the database does not know may belong to another
    database (a restored one, a second site), so it goes only once nobody can be going on with it."""
    there = [path for path in _uploads_folder().iterdir() if path.is_dir()]
    numbers = [int(number) for path in there if (number := path.name.partition("-")[0]).isdecimal()]
    known = {_folder_name(upload): upload for upload in Upload.objects.filter(pk__in=numbers)}
    return [
        path
        for path in there
        if (known[path.name].has_ended if path.name in known else _is_out_of_time(path))
    ]


def _is_out_of_time(folder: Path) -> bool:
    try:
        # A piece is written into a file that is there: only the file's own time tells of it.
        moved = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except FileNotFoundError:
        return False
    return time.time() - moved > settings.FOOTPRINT.upload_hours * 3600


def _uploads_folder() -> Path:
    folder: Path = settings.FOOTPRINT.data_dir / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _folder_name(upload: Upload) -> str:
    """No upload of another database has the same, though its number may be."""
    return f"{upload.pk}-{upload.asked_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}"


def _make_folder(upload: Upload) -> None:
    folder_of(upload).mkdir(mode=0o700, exist_ok=True)


def _begun(actor: Person, source: Source, files: Sequence[Announced]) -> Upload | None:
    """An upload without the hashes of its first pieces is no other one's again."""
    if not all(file.first_piece or not file.size for file in files):
        return None
    wanted = [(file.name, file.size, file.first_piece) for file in files]
    receiving = Upload.objects.filter(source=source, asked_by=actor, state=Upload.State.RECEIVING)
    for upload in receiving.prefetch_related("files"):
        if [(file.name, file.size, file.first_piece) for file in upload.files.all()] == wanted:
            return upload
    return None


def _end_receiving(upload: Upload) -> None:
    """Once all is there, the upload waits for a worker."""
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        if (
            locked.state == Upload.State.RECEIVING
            and not locked.files.filter(received__lt=F("size")).exists()
        ):
            for file in locked.files.filter(size=0):
                _write(path_of(file), 0, b"")
            locked.state = Upload.State.WAITING
            locked.version += 1
            locked.save(update_fields=["state", "version"])
    upload.state = locked.state


def _write(path: Path, offset: int, data: bytes) -> None:
    """What a power cut or a piece that did not count left behind `offset` is cut off."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(handle)


def _owed() -> int:
    """Bytes that uploads underway have still to bring."""
    underway = UploadedFile.objects.filter(upload__state=Upload.State.RECEIVING)
    left = underway.aggregate(left=Sum(F("size") - F("received")))["left"]
    return int(left or 0)
