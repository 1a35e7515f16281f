"""The pages of uploads and of what a local source holds."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from footprint.accounts.models import Person, Role
from footprint.ledger.models import Entry
from hunts import store_work, uploads
from hunts.adapters import store_of
from hunts.importing import import_upload
from hunts.models import Removal, Source, Upload
from hunts.upkeep import do_removal
from tests.cases.views.pages import text_of
from tests.hunts.telemetry_lines import days_ago, event, write_lines
from tests.hunts.views.test_sources import MakeSource
from tests.roles import client_of, client_with, person_with


@pytest.fixture
def lea(db: None) -> Person:
    return person_with(Role.LEAD, "lea")


@pytest.fixture
def desk(lea: Person, valkey: Redis) -> Client:
    """The site as Lea, a lead, sees it."""
    return client_of(lea)


@pytest.fixture
def source(make_source: MakeSource) -> Source:
    return make_source([event("a.exe", days_ago(0), "203.0.113.1")])


def announce(desk: Client, source: Source, data: bytes, name: str = "may.jsonl") -> Any:
    files = [{"name": name, "size": len(data), "first_piece": sha256(data).hexdigest()}]
    return desk.post(
        f"/sources/{source.slug}/uploads/open", {"files": files}, content_type="application/json"
    )


def put(desk: Client, source: Source, upload: int, data: bytes, offset: int = 0) -> Any:
    address = f"/sources/{source.slug}/uploads/{upload}/1/{offset}"
    return desk.put(address, data, content_type="application/octet-stream")


def test_an_upload_becomes_a_summary_with_its_bad_lines(desk: Client, source: Source, tmp_path: Path) -> None:
    data = write_lines(tmp_path / "x", [event("=b.exe", days_ago(1), "203.0.113.2")]).read_bytes() + b"=1+1\n"
    opened = announce(desk, source, data).json()
    assert put(desk, source, opened["upload"], data).json() == {"received": len(data)}
    import_upload(opened["upload"], "a worker")

    said = text_of(desk.get(f"/sources/{source.slug}/uploads/{opened['upload']}/"))
    assert "New rows 1" in said
    assert "Bad lines 1" in said
    upload = Upload.objects.get()
    download = desk.get(f"/sources/{source.slug}/imports/{upload.import_id}/bad-lines")
    _, line = csv.reader(StringIO(download.getvalue().decode()))
    assert (line[0], line[1], line[3]) == ("may.jsonl", "2", "'=1+1")


def test_a_piece_at_the_wrong_place_says_where_to_go_on(desk: Client, source: Source) -> None:
    opened = announce(desk, source, b"abc").json()
    answer = put(desk, source, opened["upload"], b"c", offset=2)
    assert (answer.status_code, answer.json()["received"]) == (409, 0)


def test_nobody_else_adds_to_an_upload(desk: Client, source: Source) -> None:
    opened = announce(desk, source, b"abc").json()
    other = client_of(person_with(Role.LEAD, "leo"))
    assert put(other, source, opened["upload"], b"abc").status_code == 404


def test_what_is_no_announcement_is_a_bad_request(desk: Client, source: Source) -> None:
    for body in ("", "[]", json.dumps({"files": [{"name": "a"}]}), json.dumps({"files": 1})):
        address = f"/sources/{source.slug}/uploads/open"
        assert desk.post(address, body, content_type="application/json").status_code == 400


def test_a_form_without_javascript_does_the_same(lea: Person, valkey: Redis, source: Source) -> None:
    desk = Client(enforce_csrf_checks=True)
    desk.force_login(lea)
    page = desk.get(f"/sources/{source.slug}/")
    token = str(page.context["csrf_token"])
    form = {
        "csrfmiddlewaretoken": token,
        "files": [SimpleUploadedFile("../x.csv", b"a"), SimpleUploadedFile("y", b"bc")],
    }
    answer = desk.post(f"/sources/{source.slug}/uploads/", form)
    upload = Upload.objects.get()
    assert answer.headers["Location"] == f"/sources/{source.slug}/uploads/{upload.pk}/"
    kept = sorted((path.name, path.read_bytes()) for path in uploads.folder_of(upload).iterdir())
    assert (upload.state, kept) == (Upload.State.WAITING, [("1", b"a"), ("2", b"bc")])
    assert [file.name for file in upload.files.all()] == ["x.csv", "y"]


def test_a_form_without_its_token_leaves_nothing(lea: Person, source: Source) -> None:
    desk = Client(enforce_csrf_checks=True)
    desk.force_login(lea)
    answer = desk.post(f"/sources/{source.slug}/uploads/", {"files": [SimpleUploadedFile("x", b"a")]})
    assert answer.status_code == 403
    assert Upload.objects.get().state == Upload.State.ABANDONED
    assert not uploads.folder_of(Upload.objects.get()).exists()


def test_a_form_that_is_too_large_is_told_so(
    desk: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "most_bytes", lambda: 2)
    form = {"files": [SimpleUploadedFile("x", b"abc")]}
    answer = desk.post(f"/sources/{source.slug}/uploads/", form, follow=True)
    assert "more files or bytes than one upload may have" in text_of(answer)
    assert not uploads.folder_of(Upload.objects.get()).exists()


def test_what_is_announced_too_large_is_told_so(
    desk: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "most_bytes", lambda: 2)
    answer = announce(desk, source, b"abc")
    assert answer.status_code == 422
    assert "one upload may have" in answer.json()["said"]


@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST, Role.REVIEWER, Role.AUDITOR])
def test_only_who_manages_sources_changes_what_is_there(db: None, source: Source, role: Role) -> None:
    client = client_with(role)
    import_id = store_of(source).imports()[0].import_id
    base = f"/sources/{source.slug}"
    assert announce(client, source, b"abc").status_code == 403
    assert put(client, source, 1, b"abc").status_code == 403
    for address in ("uploads/", "uploads/1/abandon", f"imports/{import_id}/remove"):
        assert client.post(f"{base}/{address}").status_code == 403
    page = client.get(f"{base}/")
    assert "Upload and import" not in text_of(page)
    assert not Upload.objects.exists()


def test_names_are_listed_by_rows_and_found(site: Client, make_source: MakeSource) -> None:
    events = [event(f"f{number:02}.exe", days_ago(0), "203.0.113.1") for number in range(60)]
    source = make_source(
        [
            *events,
            event("top.exe", days_ago(0), "203.0.113.1"),
            *[event("top.exe", days_ago(1), "203.0.113.1")],
        ]
    )
    first = text_of(site.get(f"/sources/{source.slug}/names/"))
    assert "61 names" in first
    assert first.index("top.exe 2") < first.index("f00.exe 1")
    assert "f59.exe" in text_of(site.get(f"/sources/{source.slug}/names/?page=2"))
    found = text_of(site.get(f"/sources/{source.slug}/names/?q=F33"))
    assert ("f33.exe 1" in found, "f34.exe" in found) == (True, False)


def test_removing_an_import_says_what_goes_and_who_asked(
    desk: Client, source: Source, open_a_case: Any
) -> None:
    run = open_a_case("a.exe")
    run.hunt.source = source
    run.hunt.save()
    import_id = store_of(source).imports()[0].import_id
    address = f"/sources/{source.slug}/imports/{import_id}/remove"
    said = text_of(desk.get(address))
    assert "1 row that this import brought first goes" in said
    assert f"case {run.hunt.case_id}" in said

    assert desk.post(address, {"rows": "7"}).status_code == 409
    assert not Removal.objects.exists()
    desk.post(address, {"rows": "1"})
    do_removal(Removal.objects.get().pk, "a worker")

    removal = Removal.objects.get()
    assert (removal.state, removal.rows, store_of(source).days()) == (Removal.State.DONE, 1, {})
    entry = Entry.objects.get(event="hunts:import:removed")
    assert (entry.actor_name, json.loads(entry.text)["after"]["rows"]) == ("Lea", 1)


def test_the_page_of_a_source_costs_the_same_with_many_uploads(
    desk: Client, source: Source, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        announce(desk, source, b"abc", name=f"{number}.csv")
    with django_assert_max_num_queries(14):
        desk.get(f"/sources/{source.slug}/")


def test_an_upload_that_no_worker_takes_says_so(desk: Client, source: Source) -> None:
    opened = announce(desk, source, b"abc").json()
    put(desk, source, opened["upload"], b"abc")
    pages = f"/sources/{source.slug}/uploads/{opened['upload']}/", f"/sources/{source.slug}/"
    assert not any("It has waited for minutes" in text_of(desk.get(page)) for page in pages)

    Upload.objects.update(moved_at=timezone.now() - timedelta(minutes=5))

    assert all("It has waited for minutes" in text_of(desk.get(page)) for page in pages)


def test_an_upload_behind_another_change_says_so(desk: Client, source: Source) -> None:
    numbers = []
    for data in (b"abc", b"def"):
        numbers.append(announce(desk, source, data).json()["upload"])
        put(desk, source, numbers[-1], data)
    address = f"/sources/{source.slug}/uploads/{numbers[1]}/"
    before = desk.get(address).headers["ETag"]
    store_work.claim(Upload, numbers[0], "busy")

    answer = desk.get(address, headers={"HX-Request": "true", "If-None-Match": before})

    assert "waits for another change of this source" in text_of(answer)
