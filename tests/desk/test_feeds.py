from __future__ import annotations

import base64
import gzip
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connections

from cases.actions import undo
from cases.clock import database_now
from cases.models import Case, Decision
from cases.watchlists import actions, feeds, fetch_budget, publishing
from cases.watchlists.models import Consumer, FeedToken, Fetch, Watchlist
from cases.watchlists.whole_files import write_whole
from footprint.accounts.models import Person, Role
from footprint.embedded import Home
from footprint.ledger.record import Actor
from tests import house
from tests.cases.world import decide_on, merge_and_settle, open_case, row


@pytest.fixture
def lea(fresh_database: house.FreshDatabase) -> Person:
    return Person.objects.create_user("lea", password="a long enough word", role=Role.LEAD)


@pytest.fixture
def case(lea: Person) -> Case:
    case = open_case(lea, "a.exe")
    merge_and_settle(case, row(dns="a.example"), row(dns="b.example"))
    return case


@pytest.fixture
def blocks(fresh_database: house.FreshDatabase) -> Watchlist:
    return Watchlist.objects.get(slug="all-blocks")


@pytest.fixture(autouse=True)
def own_feeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process that has just started, with an empty disk and news at every fetch."""
    mine = feeds.Feeds(tmp_path / "feeds")
    monkeypatch.setattr("footprint.desk.views.feeds.feeds", lambda: mine)
    monkeypatch.setattr(feeds, "FRESH_SECONDS", 0.0)


@pytest.fixture
def token(blocks: Watchlist, lea: Person, case: Case) -> str:
    """Of a consumer of the plain text of all blocks, of which one is published."""
    decide_on(lea, case, "a.example")
    publish(blocks)
    return actions.add_consumer(actor=lea, watchlist=blocks, name="fw-lisbon", format="plain-text")[1]


def publish(watchlist: Watchlist) -> None:
    assert publishing.publish(actor=Actor.clock("test"), watchlist=watchlist, why="A test") is not None


def fetch(
    site: house.LiveSite, token: str, path: str = "/feeds/all-blocks/plain-text", **headers: str
) -> httpx.Response:
    given = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"} | headers
    return httpx.get(site.url + path, headers=given, trust_env=False)


def test_a_block_is_fetched_and_gone_after_undo(
    live_site: house.LiveSite, token: str, blocks: Watchlist, lea: Person, case: Case
) -> None:
    decision = decide_on(lea, case, "b.example")
    publish(blocks)
    assert fetch(live_site, token).text == "a.example\nb.example\n"
    undo(actor=lea, decision=decision)
    publish(blocks)
    assert fetch(live_site, token).text == "a.example\n"


def test_curl_fetches_with_basic(live_site: house.LiveSite, token: str) -> None:
    got = subprocess.run(
        [
            "curl",
            "--silent",
            "--fail",
            "--noproxy",
            "*",
            "--user",
            f"consumer:{token}",
            f"{live_site.url}/feeds/all-blocks/plain-text",
        ],
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert got.stdout == b"a.example\n"


def test_the_same_version_is_not_sent_twice(live_site: house.LiveSite, token: str) -> None:
    first = fetch(live_site, token)
    again = fetch(live_site, token, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_a_tag_that_a_proxy_made_weak_is_still_known(live_site: house.LiveSite, token: str) -> None:
    tag = fetch(live_site, token).headers["ETag"]
    assert fetch(live_site, token, **{"If-None-Match": f"W/{tag}"}).status_code == 304


def test_whoever_takes_gzip_gets_it(live_site: house.LiveSite, token: str) -> None:
    with httpx.stream(
        "GET",
        f"{live_site.url}/feeds/all-blocks/plain-text",
        headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"},
        trust_env=False,
    ) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(b"".join(answer.iter_raw())) == b"a.example\n"
        assert answer.headers["ETag"].endswith('-gzip"')


def test_fault_40_no_token_is_asked_for_and_never_an_empty_list(
    live_site: house.LiveSite, token: str
) -> None:
    answer = httpx.get(f"{live_site.url}/feeds/all-blocks/plain-text?token={token}", trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "path", ["/feeds/all-blocks/plain-text", "/feeds/all-blocks/rpz", "/feeds/all-allows/plain-text"]
)
def test_a_wrong_token_and_a_wrong_feed_look_alike(live_site: house.LiveSite, token: str, path: str) -> None:
    used = "fp_feed_wrong" if path.endswith("all-blocks/plain-text") else token
    answer = fetch(live_site, used, path)
    assert (answer.status_code, answer.text) == (404, "No such feed for this token.\n")


def test_a_broken_basic_header_asks_for_the_token(live_site: house.LiveSite, token: str) -> None:
    for wrong in ("Basic ***", f"Basic {base64.b64encode(bytes([255])).decode()}", "Negotiate x"):
        assert fetch(live_site, "", Authorization=wrong).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Api-Key": "{token}"}, 401),
        ({"Cookie": "token={token}"}, 401),
        ({"Authorization": "{token}"}, 401),
        ({"Authorization": "Token {token}"}, 401),
        ({"Authorization": "Basic {as_user}"}, 404),
    ],
)
def test_a_token_in_the_wrong_place_opens_nothing(
    live_site: house.LiveSite, token: str, headers: dict[str, str], status: int
) -> None:
    as_user = base64.b64encode(f"{token}:".encode()).decode()
    sent = {name: text.format(token=token, as_user=as_user) for name, text in headers.items()}
    answer = httpx.get(f"{live_site.url}/feeds/all-blocks/plain-text", headers=sent, trust_env=False)
    assert (answer.status_code, "a.example" in answer.text) == (status, False)


def test_a_list_that_people_have_emptied_is_an_empty_200_of_its_own_version(
    live_site: house.LiveSite, token: str, blocks: Watchlist, lea: Person
) -> None:
    undo(actor=lea, decision=Decision.objects.get())
    publish(blocks)
    answer = fetch(live_site, token)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["X-Footprint-Publication"] == "2"


def test_a_list_that_was_never_published_is_no_empty_list(live_site: house.LiveSite, lea: Person) -> None:
    allows = Watchlist.objects.get(slug="all-allows")
    _, token = actions.add_consumer(actor=lea, watchlist=allows, name="misp", format="plain-text")
    answer = fetch(live_site, token, "/feeds/all-allows/plain-text")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_fault_39_a_revoked_consumer_gets_nothing_more(
    live_site: house.LiveSite, token: str, lea: Person
) -> None:
    assert fetch(live_site, token).status_code == 200
    actions.revoke_consumer(actor=lea, consumer=Consumer.objects.get())
    assert fetch(live_site, token).status_code == 404


def test_fault_39_an_old_token_works_on_for_a_day_beside_the_new_one(
    live_site: house.LiveSite, token: str, lea: Person
) -> None:
    newer = actions.rotate_token(actor=lea, consumer=Consumer.objects.get())
    assert fetch(live_site, token).status_code == fetch(live_site, newer).status_code == 200
    FeedToken.objects.filter(ends_at__isnull=False).update(ends_at=database_now())
    assert fetch(live_site, token).status_code == 404
    assert fetch(live_site, newer).status_code == 200


def test_last_use_and_the_first_fetch_of_a_version_are_kept(live_site: house.LiveSite, token: str) -> None:
    fetch(live_site, token)
    consumer = Consumer.objects.get()
    assert (consumer.holds, consumer.fetched_from) == (1, "127.0.0.1")
    assert consumer.fetched_at is not None
    noted = Fetch.objects.get()
    assert (noted.number, noted.token, noted.address) == (1, FeedToken.objects.get(), "127.0.0.1")


def test_fault_39_only_the_hash_of_a_token_is_kept(token: str, lea: Person) -> None:
    kept = FeedToken.objects.get()
    assert token not in (kept.hash, kept.ending)
    assert token.endswith(kept.ending)


def test_who_asks_too_often_must_wait(
    live_site: house.LiveSite, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_budget, "_FAILURES_PER_MINUTE", 2)
    codes = [fetch(live_site, "fp_feed_wrong").status_code for _ in range(4)]
    assert 429 in codes
    assert set(codes) <= {404, 429}
    assert fetch(live_site, token).status_code == 200


def test_asking_for_the_head_is_no_fetch(live_site: house.LiveSite, token: str) -> None:
    given = {"Authorization": f"Bearer {token}"}
    answer = httpx.head(f"{live_site.url}/feeds/all-blocks/plain-text", headers=given, trust_env=False)
    assert (answer.status_code, Fetch.objects.count()) == (200, 0)
    assert Consumer.objects.get().fetched_at is None


def test_a_basic_header_with_other_letters_asks_for_the_token(live_site: house.LiveSite, token: str) -> None:
    headers = {b"Authorization": "Basic é".encode()}
    url = f"{live_site.url}/feeds/all-blocks/plain-text"
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 401


def test_fault_40_feeds_answer_while_the_database_is_gone(
    live_site: house.LiveSite, token: str, servers: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fetch(live_site, token)
    connections.close_all()
    house.drop_database(servers, live_site.database.name)
    assert fetch(live_site, token).content == before.content == b"a.example\n"
    # A web process that starts only now finds everything on the disk.
    started = feeds.Feeds(tmp_path / "feeds")
    monkeypatch.setattr("footprint.desk.views.feeds.feeds", lambda: started)
    assert fetch(live_site, token).content == before.content
    assert fetch(live_site, "fp_feed_wrong").status_code == 404


def _break_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object, **kwargs: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)


def test_fault_40_a_full_disk_serves_the_last_file(
    live_site: house.LiveSite, token: str, blocks: Watchlist, lea: Person, case: Case,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = fetch(live_site, token)
    decide_on(lea, case, "b.example")
    publish(blocks)
    _break_writing(monkeypatch)
    answer = fetch(live_site, token)
    assert (answer.status_code, answer.content) == (200, before.content)


def _refuse_to_pack(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A disk that is full once the file is written; the answer grows with each attempt."""
    attempts: list[str] = []

    def full(path: str, *args: object, **kwargs: object) -> object:
        attempts.append(path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gzip.GzipFile", full)
    return attempts


def test_fault_40_a_file_that_could_not_be_made_is_left_alone_for_a_while(
    live_site: house.LiveSite, token: str, blocks: Watchlist, lea: Person, case: Case,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    before = fetch(live_site, token)
    decide_on(lea, case, "b.example")
    publish(blocks)
    with monkeypatch.context() as broken:
        attempts = _refuse_to_pack(broken)
        answers = [fetch(live_site, token).content for _ in range(3)]
        assert answers == [before.content] * 3
        assert len(attempts) == 1
    assert fetch(live_site, token).content == before.content
    decide_on(lea, case, "a.example", "allowed")
    publish(blocks)
    assert fetch(live_site, token).content == b"b.example\n"


def test_fault_40_a_file_that_could_not_be_made_is_tried_again(
    live_site: house.LiveSite, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_LEAVE_ALONE_SECONDS", 0.0)
    with monkeypatch.context() as broken:
        _refuse_to_pack(broken)
        assert fetch(live_site, token).status_code == 503
    assert fetch(live_site, token).content == b"a.example\n"


def test_fault_40_a_disk_that_is_full_at_the_last_moment_keeps_no_half(
    live_site: house.LiveSite, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = write_whole

    def full(path: Path, content: Mapping[str, Any]) -> None:
        if path.name != "snapshot.json":
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(feeds, "write_whole", full)
    assert fetch(live_site, token).status_code == 503
    assert list((tmp_path / "feeds" / "all-blocks" / "plain-text").iterdir()) == []


def test_what_was_left_of_an_old_version_goes_as_its_files_do(
    live_site: house.LiveSite, token: str, blocks: Watchlist, lea: Person, case: Case, tmp_path: Path
) -> None:
    home = tmp_path / "feeds" / "all-blocks" / "plain-text"
    home.mkdir(parents=True)
    left = [home / "0-1", home / "0-1.gz", home / ".draft-of-a-killed-process"]
    for path in left:
        path.touch()
        os.utime(path, (0, 0))
    written = home / ".draft-of-another-process"
    written.touch()
    decide_on(lea, case, "b.example")
    publish(blocks)
    fetch(live_site, token)
    assert [path for path in left if path.exists()] == []
    assert written.exists()


def test_fault_40_a_full_disk_without_a_file_asks_to_come_again(
    live_site: house.LiveSite, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break_writing(monkeypatch)
    answer = fetch(live_site, token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_fault_40_a_snapshot_that_was_not_written_is_written_later(
    token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = feeds.Feeds(tmp_path / "kept")
    with monkeypatch.context() as broken:
        _break_writing(broken)
        assert mine._current() is not None
    mine._current()
    assert (tmp_path / "kept" / "snapshot.json").exists()


def test_fault_40_a_process_that_knows_nothing_asks_to_come_again(
    live_site: house.LiveSite, token: str, servers: Home
) -> None:
    connections.close_all()
    house.drop_database(servers, live_site.database.name)
    answer = fetch(live_site, token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_fault_40_a_file_that_is_gone_meanwhile_asks_to_come_again(
    live_site: house.LiveSite, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = feeds.Kept(tmp_path / "gone", "0" * 64, "text/plain", 1)
    monkeypatch.setattr(feeds.Feeds, "fetch", lambda self, **asked: gone)
    answer = fetch(live_site, token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
