from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from cases.known.actions import remove_list, switch_list
from cases.known.sources import CannotLoad, file_list, left_out_because, package_lists
from cases.models import KnownEntry, KnownList
from footprint.accounts.models import Person
from footprint.ledger.models import Entry
from footprint.ledger.record import Actor
from tests.cases.known.lists import known_list, load, source

pytestmark = pytest.mark.django_db

WriteFile = Callable[[str | bytes], Path]


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "list.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def command(*arguments: object) -> tuple[str, str]:
    said, faults = StringIO(), StringIO()
    call_command("load_known_lists", *map(str, arguments), stdout=said, stderr=faults)
    return said.getvalue(), faults.getvalue()


def of_file(path: Path, category: str = "good") -> tuple[str, str]:
    return command("--file", path, "--slug", "ours", "--category", category)


def texts(slug: str = "ours") -> list[str]:
    return sorted(str(entry) for entry in KnownEntry.objects.filter(known_list__slug=slug))


def test_a_plain_text_file_is_a_list(write_file: WriteFile):
    path = write_file("# ours\n\ncontoso.com  # the site\n*.fabrikam.com\r\n203.0.113.0/24\n")
    said, faults = of_file(path)
    assert texts() == ["*.fabrikam.com", "203.0.113.0/24", "contoso.com"]
    assert "1 lists loaded with 3 entries" in said
    assert faults == ""


def test_bad_lines_are_told_by_their_numbers_and_the_others_taken(write_file: WriteFile):
    _, faults = of_file(write_file("contoso.com\nno name at all\n\n1.2.3.4/99\n"))
    assert "line 2: “no name at all” is no name" in faults
    assert "line 4: “1.2.3.4/99” is no network" in faults
    assert texts() == ["contoso.com"]
    assert KnownList.objects.get().unread_count == 2


def test_of_very_many_bad_lines_the_first_are_told(write_file: WriteFile):
    _, faults = of_file(write_file("contoso.com\n" + "no name\n" * 100))
    assert faults.count("\n") == 21
    assert "80 more such lines" in faults


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "no name at all\n", b"\xff\xfe\x00c\x00o", "\0" * 10_000]
)
def test_a_file_without_anything_readable_is_refused_and_the_list_stays(
    write_file: WriteFile, content: str | bytes
):
    known_list("ours", ["contoso.com"])
    with pytest.raises(CommandError, match="nothing that can be read"):
        of_file(write_file(content))
    assert texts() == ["contoso.com"]


def test_a_line_without_end_is_one_bad_line(write_file: WriteFile):
    _, faults = of_file(write_file("contoso.com\n" + "a" * 3_000_000 + "\nfabrikam.com\n"))
    assert faults.count("line 2") == 1
    assert texts() == ["contoso.com", "fabrikam.com"]


def test_a_byte_order_mark_is_no_part_of_the_first_line(write_file: WriteFile):
    of_file(write_file(b"\xef\xbb\xbfcontoso.com\n"))
    assert texts() == ["contoso.com"]


def test_a_missing_file_is_told():
    with pytest.raises(CommandError, match="No such file"):
        of_file(Path("/nowhere/list.txt"))


def test_a_folder_is_no_file(tmp_path: Path):
    with pytest.raises(CommandError, match="Is a directory"):
        of_file(tmp_path)


def test_a_warning_list_in_json_is_a_list(write_file: WriteFile):
    content = {"name": "List of known things", "type": "hostname", "version": 7, "list": ["contoso.com", 9]}
    _, faults = of_file(write_file(json.dumps(content)))
    ours = KnownList.objects.get()
    assert (ours.title, ours.version, texts()) == ("Things", "7", ["*.contoso.com"])
    assert "line 2: “9” is no name" in faults


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is no JSON"),
        ("[1, 2]", "is no MISP warning list"),
        ('{"list": "contoso.com"}', "is no MISP warning list"),
        ('{"list": []}', "it is empty"),
        ('{"list": ["/a/"], "type": "regex"}', "it holds patterns"),
        ('{"list": ["00"], "matching_attributes": ["md5"]}', "nothing about names or addresses"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_json_that_is_no_warning_list_is_refused(write_file: WriteFile, content: str, why: str):
    with pytest.raises(CommandError, match=why):
        of_file(write_file(content))
    assert not KnownList.objects.exists()


def test_loading_again_what_has_not_changed_changes_nothing():
    load(source("ours", "contoso.com"))
    entries = Entry.objects.count()
    loading = load(source("ours", "contoso.com"))
    assert (loading.loaded, loading.unchanged, Entry.objects.count()) == ([], 1, entries)


def test_a_changed_list_takes_the_place_of_the_old_one_and_keeps_its_standing(rui: Person):
    switch_list(actor=rui, known_list=known_list("ours", ["contoso.com"]), standing="ignore")
    load(source("ours", "fabrikam.com"))
    assert texts() == ["fabrikam.com"]
    assert KnownList.objects.get().standing == "ignore"


def test_what_a_list_says_twice_is_kept_once():
    assert (
        known_list("ours", ["contoso.com", "CONTOSO.com", "203.0.113.9", "203.0.113.9/32"]).entry_count == 2
    )


def test_the_ledger_keeps_counts_and_hash():
    load(source("ours", "contoso.com", "no name"), source("theirs", "fabrikam.com", category="bad"))
    entry = Entry.objects.latest("seq")
    lists = json.loads(entry.text)["after"]["lists"]
    assert entry.subject_name == "2 known lists"
    assert (lists["ours"]["entries"], lists["ours"]["unread"], lists["theirs"]["category"]) == (1, 1, "bad")
    assert len(lists["ours"]["sha256"]) == 64


def test_switching_and_removing_are_entries(rui: Person):
    ours = known_list("ours", ["contoso.com"])
    switch_list(actor=rui, known_list=ours, standing="ignore")
    switch_list(actor=rui, known_list=ours, standing="ignore")
    remove_list(actor=Actor.person(rui), known_list=ours)
    assert list(Entry.objects.order_by("seq").values_list("event", flat=True)) == [
        "cases:known_lists:loaded",
        "cases:known_list:switched",
        "cases:known_list:removed",
    ]
    assert not KnownEntry.objects.exists()


def test_a_file_does_not_take_the_place_of_a_list_of_the_package(write_file: WriteFile):
    call_command("load_known_lists", "--only", "rfc1918", stdout=StringIO())
    with pytest.raises(CommandError, match="There is a list rfc1918 already"):
        command("--file", write_file("contoso.com\n"), "--slug", "rfc1918", "--category", "good")


def test_a_list_of_the_package_is_loaded_by_its_slug():
    said, _ = command("--only", "rfc1918", "sinkholes")
    assert texts("rfc1918") == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
    assert KnownList.objects.get(slug="sinkholes").category == "bad"
    assert "rfc1918: 3 entries, private or reserved" in said
    assert "unchanged" in command("--only", "rfc1918")[0]


def test_the_command_removes_a_list():
    known_list("ours", ["contoso.com"])
    assert command("--remove", "ours")[0] == "ours is removed.\n"
    assert not KnownList.objects.exists()
    with pytest.raises(CommandError, match="There is no list ours"):
        command("--remove", "ours")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--file", "x"], "needs --slug"),
        (["--slug", "ours"], "go with --file"),
        (["--only", "nonsense"], "no list nonsense"),
        (["--file", "x", "--slug", "a b", "--category", "good"], "--slug 'a b'"),
        (["--file", "x", "--slug", "a", "--category", "good", "--only", "rfc1918"], "--only"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments: list[str], why: str):
    with pytest.raises(CommandError, match=why):
        command(*arguments)


def test_every_list_of_the_package_that_speaks_of_names_or_addresses_has_a_category():
    found = {each.slug: each.category for each in package_lists(at_most=5_000)}
    assert len(found) > 80
    assert {slug for slug, category in found.items() if category == "other"} == {
        *("automated-malware-analysis", "findip-host", "parking-domain", "parking-domain-ns", "tlds"),
        "whats-my-ip",
    }
    assert not found.keys() & {
        "phone_numbers",
        "common-contact-emails",
        "mozilla-CA",
        "crl-ip",
        "disposable-email",
    }


def test_a_list_without_any_word_about_what_it_matches_is_taken():
    assert left_out_because({"list": ["contoso.com"]}) is None


def test_a_huge_json_file_is_refused_before_it_is_read(
    write_file: WriteFile, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("cases.known.sources.LARGEST_JSON", 10)
    with pytest.raises(CannotLoad, match="Use plain text"):
        file_list(write_file('{"list": ["contoso.com"]}'), slug="ours", category="good")
