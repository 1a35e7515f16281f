"""Uploading exports into a local source: opening, pieces, the whole at once, and what became of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any, TextIO

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.files.uploadedfile import UploadedFile as SentFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HTMX_STOP_POLLING

from footprint.accounts.gate import SignedInRequest, requires
from footprint.accounts.may import Verb
from hunts import store_work, uploads
from hunts.adapters import store_of
from hunts.models import Source, Upload, UploadedFile
from hunts.store_sweep import hint_work
from hunts.uploads import Announced, CannotUpload, WrongPiece

# What a form has beside its files.
_FORM_BYTES = 1_000_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


@csrf_exempt
@requires(Verb.MANAGE_SOURCES)
@require_POST
def upload_whole(request: SignedInRequest, slug: str) -> HttpResponseBase:
    """For browsers without JavaScript: one form with everything. The files go straight to their place."""
    source = _local_source(slug)
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    try:
        uploads.check_size(max(0, length - _FORM_BYTES))
        uploads.check_room(length)
    except CannotUpload as error:
        messages.warning(request, str(error))
        return redirect("source", slug)
    upload = uploads.begin_whole(actor=request.user, source=source)
    try:
        handler = IntoUpload(request, upload)
        request.upload_handlers = [handler]
        return _take_form(request, upload, handler)
    finally:
        # What is complete by now stays.
        uploads.abandon(upload=upload)


@csrf_protect
def _take_form(request: SignedInRequest, upload: Upload, handler: IntoUpload) -> HttpResponse:
    """Checking the token has read the whole form, files and all."""
    _ = request.FILES
    files = [Announced(name, size) for name, size in zip(handler.names, handler.sizes, strict=True)]
    try:
        if handler.is_too_large:
            raise CannotUpload("These are more files or bytes than one upload may have. Nothing was kept.")
        uploads.check_announced(files)
    except CannotUpload as error:
        messages.warning(request, str(error))
        return redirect("source", upload.source.slug)
    uploads.take_whole(upload, files)
    hint_work(Upload, [upload.pk])
    return redirect("upload", upload.source.slug, upload.pk)


@requires(Verb.MANAGE_SOURCES)
@require_POST
def open_upload(request: SignedInRequest, slug: str) -> HttpResponse:
    """Says where each file goes on: at its beginning, or where the same files stopped before."""
    source = _local_source(slug)
    try:
        upload = uploads.open_upload(actor=request.user, source=source, files=_announced(request.body))
    except CannotUpload as error:
        return JsonResponse({"said": str(error)}, status=422)
    if upload.state == Upload.State.WAITING:
        hint_work(Upload, [upload.pk])
    return JsonResponse(_standing(upload))


@requires(Verb.MANAGE_SOURCES)
@require_http_methods(["PUT"])
def receive_piece(request: SignedInRequest, slug: str, pk: int, number: int, offset: int) -> HttpResponse:
    """409 says where to go on. The whole piece is in memory: it is small."""
    file = get_object_or_404(
        UploadedFile, upload__source__slug=slug, upload=pk, number=number, upload__asked_by=request.user
    )
    try:
        file, upload = uploads.receive_piece(file_id=file.pk, offset=offset, data=request.body)
    except WrongPiece as error:
        return JsonResponse({"said": str(error), "received": error.received}, status=409)
    except OSError as error:
        return JsonResponse({"said": f"The disk of this site takes no more: {error.strerror}."}, status=507)
    if upload.state == Upload.State.WAITING:
        hint_work(Upload, [upload.pk])
    return JsonResponse({"received": file.received})


@requires(Verb.READ_SOURCES)
@require_safe
def upload(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """How far it is and, at its end, what came of it."""
    shown = _upload(slug, pk)
    in_vain = store_work.waits_in_vain(shown)
    behind = shown.state == Upload.State.WAITING and store_work.is_worked_on(shown.source)
    tag = f"upload-{shown.pk}-{shown.version}-{in_vain:d}{behind:d}"
    etag = f'"{tag}"'
    if request.htmx and request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    files = list(shown.files.all())
    context = {
        "nav": "sources",
        "source": shown.source,
        "upload": shown,
        "tag": tag,
        "in_vain": in_vain,
        "behind": behind,
        "files": files,
        "received": sum(file.received for file in files),
        "size": sum(file.size for file in files),
        "summary": shown.summary if shown.state == Upload.State.DONE else None,
        "most_mb": settings.FOOTPRINT.upload_mb,
        "is_own": shown.asked_by_id == request.user.pk,
    }
    status = HTMX_STOP_POLLING if request.htmx and shown.has_ended else 200
    response = render(request, "hunts/upload.html", context, status=status)
    response.headers["ETag"] = etag
    return response


@requires(Verb.MANAGE_SOURCES)
@require_POST
def abandon(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    if uploads.abandon(upload=_upload(slug, pk)):
        messages.success(request, f"Upload {pk} is abandoned; what had come is deleted.")
    else:
        messages.warning(request, f"Upload {pk} is complete already; it is not abandoned.")
    return redirect("source", slug)


@requires(Verb.READ_SOURCES)
@require_safe
def bad_lines(request: SignedInRequest, slug: str, import_id: str) -> HttpResponseBase:
    """CSV: file, line, reason, and how the line begins."""
    store = store_of(_local_source(slug))
    if import_id not in {record.import_id for record in store.imports()}:
        raise Http404("There is no such import.")
    path = store.bad_lines_of(import_id)
    if not path.exists():
        raise Http404("This import has no bad lines.")
    response = StreamingHttpResponse(_bad_lines_csv(path.open(encoding="utf-8")), content_type="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="bad-lines-{import_id}.csv"'
    return response


class IntoUpload(FileUploadHandler):
    """Writes the files of a form into the upload's folder, by number, and no more than an upload may have."""

    def __init__(self, request: SignedInRequest, upload: Upload) -> None:
        super().__init__(request)
        self._upload = upload
        self._left = uploads.most_bytes()
        self._number = 0
        self._size = 0
        self._file: Any = None
        self.names: list[str] = []
        self.sizes: list[int] = []
        self.is_too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._number += 1
        self._size = 0
        self._file = uploads.new_file(self._upload, self._number)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._left -= len(raw_data)
        self._size += len(raw_data)
        if self._left < 0 or self._number > uploads.MOST_FILES:
            self.is_too_large = True
            self._file.close()
            raise StopUpload(connection_reset=True)
        self._file.write(raw_data)

    def file_complete(self, file_size: int) -> SentFile[Any]:
        self._file.close()
        self.names.append((self.file_name or "")[: uploads.LONGEST_NAME])
        self.sizes.append(self._size)
        return SentFile(name=self.file_name, size=self._size)

    def upload_interrupted(self) -> None:
        if self._file is not None:
            self._file.close()


def _announced(body: bytes) -> list[Announced]:
    try:
        given = json.loads(body)["files"]
        return [
            Announced(str(each["name"]), int(each["size"]), str(each["first_piece"])[:64]) for each in given
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise BadRequest("These are no files.") from error


def _standing(upload: Upload) -> dict[str, object]:
    return {
        "upload": upload.pk,
        "files": [{"number": file.number, "received": file.received} for file in upload.files.all()],
    }


def _local_source(slug: str) -> Source:
    return get_object_or_404(Source, slug=slug, kind=Source.Kind.LOCAL)


def _upload(slug: str, pk: int) -> Upload:
    return get_object_or_404(Upload.objects.select_related("source", "asked_by"), source__slug=slug, pk=pk)


def _bad_lines_csv(lines: TextIO) -> Iterator[str]:
    with lines:
        yield _csv_line(["file", "line", "reason", "text"])
        for line in lines:
            kept = json.loads(line)
            yield _csv_line([kept["file"], kept["line"], kept["reason"], kept["text"]])


def _csv_line(cells: list[object]) -> str:
    """Spreadsheets take some beginnings for formulas; an apostrophe keeps them text."""
    line = StringIO()
    defused = [f"'{cell}" if str(cell).startswith(_FORMULA_STARTS) else cell for cell in cells]
    csv.writer(line).writerow(defused)
    return line.getvalue()
