from __future__ import annotations

import csv
import ipaddress
import json
import re
import tracemalloc
import uuid
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from io import BytesIO, StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import dns.name
import dns.zone
import pymisp
import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from cases.observed import observe
from cases.watchlists.formats import REGISTRY, Format, Gone, How, ListEntry, Published, Report
from cases.watchlists.formats.ids import stable_id
from cases.watchlists.formats.spelled import csv_row, moment
from cases.watchlists.rendering import extension, render
from footprint.configuration import CHECKOUT

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 24, 7, 0, 0, tzinfo=UTC)
BLOCKS = Published("all-blocks", "All blocks", "What is blocked everywhere.", "blocked", 148, AT)
ALLOWS = Published("all-allows", "All allows", "What is allowed everywhere.", "allowed", 12, AT)
ENTRY = ListEntry(
    kind="name",
    value="a.example",
    verdict="blocked",
    reason="Beacons every five minutes",
    decided_by="Rui Alves",
    decided_at=datetime(2026, 11, 20, 12, 30, 5, 999_999, tzinfo=UTC),
    expires_at=None,
    case=7,
    decision=12,
)
YEAR = datetime(2027, 11, 20, tzinfo=UTC)
# One fixed set of decisions, in the order of kind and value.
FIXED = [
    ENTRY._replace(kind="address", value="192.0.2.7", decision=1),
    ENTRY._replace(kind="address", value="2606:4700::1111", decision=2, expires_at=YEAR),
    ENTRY._replace(kind="address", value="9.9.9.9", decision=3, reason='=cmd|" /C calc"!A0'),
    ENTRY._replace(kind="below", value="relay-pool.example", decision=4, decided_by="Lea Moser"),
    ENTRY._replace(kind="below", value="under_score.example", decision=5),
    ENTRY._replace(decision=6, reason='first\r\nsecond, "third"'),
    ENTRY._replace(value="n7.relay-pool.example", decision=7, may_widen=True),
    ENTRY._replace(kind="network", value="198.51.100.0/24", decision=8, case=None),
    ENTRY._replace(kind="network", value="2001:db8:bad::/48", decision=9),
    ENTRY._replace(kind="text", value="=cmd|' /C calc'!A0", decision=10),
]
GONE = [Gone(ENTRY._replace(value="gone.example", decision=11), AT)]
ALL_FORMATS = pytest.mark.parametrize("format", REGISTRY.values(), ids=lambda each: each.slug)


def rendered(
    format: str, *entries: ListEntry, of: Published = BLOCKS, gone: Iterable[Gone] = ()
) -> tuple[bytes, Report]:
    output = BytesIO()
    told = render(REGISTRY[format], of, entries, output, gone)
    return output.getvalue(), told.report


def text_of(format: str, *entries: ListEntry, of: Published = BLOCKS, gone: Iterable[Gone] = ()) -> str:
    return rendered(format, *entries, of=of, gone=gone)[0].decode()


def parts_of(*entries: ListEntry, of: Published = BLOCKS) -> list[list[dict[str, str]]]:
    with zipfile.ZipFile(BytesIO(rendered("defender-csv", *entries, of=of)[0])) as parts:
        texts = [parts.read(name).decode() for name in parts.namelist()]
    return [list(csv.DictReader(StringIO(text, newline=""))) for text in texts]


def allowed(entries: Iterable[ListEntry]) -> list[ListEntry]:
    return [each._replace(verdict="allowed") for each in entries]


@ALL_FORMATS
def test_the_golden_file_of_the_fixed_decisions(format: type[Format]):
    content, _ = rendered(format.slug, *FIXED, gone=GONE)
    kept = GOLDEN / f"{format.slug}.{extension(format)}"
    if format.rows_in_part:
        with zipfile.ZipFile(BytesIO(content)) as now, zipfile.ZipFile(kept) as then:
            assert {name: now.read(name) for name in now.namelist()} == {
                name: then.read(name) for name in then.namelist()
            }
    else:
        assert content == kept.read_bytes()


@ALL_FORMATS
def test_the_same_entries_give_the_same_bytes(format: type[Format]):
    assert rendered(format.slug, *FIXED)[0] == rendered(format.slug, *FIXED)[0]


@ALL_FORMATS
def test_the_example_in_the_docs_is_what_the_format_writes(format: type[Format]):
    page = (CHECKOUT / "docs" / "formats.md").read_text()
    if format.rows_in_part:
        with zipfile.ZipFile(BytesIO(rendered(format.slug, *FIXED, gone=GONE)[0])) as parts:
            text = parts.read(parts.namelist()[0]).decode()
    else:
        text = text_of(format.slug, *FIXED, gone=GONE)
    assert f"## `{format.slug}`" in page
    assert "```\n" + text.replace("\r\n", "\n") + "```" in page


@ALL_FORMATS
def test_everything_is_written_or_reported(format: type[Format]):
    _, report = rendered(format.slug, *FIXED)
    assert report.entries == len(FIXED)
    said_already = 1 if format.slug == "rpz" else 0
    assert report.written + report.left_out + said_already == len(FIXED)
    assert all(why for _, why in report.causes)


@ALL_FORMATS
def test_an_empty_list_can_still_be_read(format: type[Format]):
    text = rendered(format.slug)[0]
    if format.extension == "json":
        json.loads(text)


@ALL_FORMATS
@pytest.mark.parametrize("count", [1, 499, 500, 501, 1000, 1001])
def test_where_pieces_are_joined_nothing_is_lost(format: type[Format], count: int):
    entries = [ENTRY._replace(value=f"n{number}.example", decision=number) for number in range(count)]
    content, report = rendered(format.slug, *entries)
    if report.written and not format.rows_in_part:
        assert len(re.findall(rb"\bn\d+\.example\b", content)) >= count
    if format.extension == "json":
        json.loads(content)


@ALL_FORMATS
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("name", "a.example\nb.example"),
        ("name", "a.example\n"),
        ("name", "*.example"),
        ("name", "a..example"),
        ("name", "A.example"),
        ("name", ""),
        ("name", "a" * 64),
        ("below", "*.example"),
        ("below", "a.example/"),
        ("address", "1.2.3.4/8"),
        ("address", "1.2.3.4\n"),
        ("address", "1.2.3.04"),
        ("address", "::ffff:1.2.3.4 "),
        ("address", "0:0:0:0:0:0:0:1"),
        ("network", "10.0.0.1/8"),
        ("network", "10.0.0.0"),
        ("text", "two words"),
    ],
)
def test_what_is_not_exactly_a_subject_reaches_no_list_for_machines(
    format: type[Format], kind: str, value: str
):
    entry = ENTRY._replace(kind=kind, value=value, may_widen=True)
    if format.slug in ("json", "csv"):
        return
    _, report = rendered(format.slug, entry)
    if (kind, value) == ("network", "10.0.0.0"):
        # Reads as the network of one address, in a spelling that is not ours.
        assert report.written == 0
    assert (report.written, report.left_out) == (0, 1)


@pytest.mark.parametrize(
    "value", ["a.example", "_ldap._tcp.corp.local", "lis-w-0114", "-odd.example", "xn--a.example"]
)
def test_names_as_they_are_observed_are_covered(value: str):
    assert text_of("plain-text", ENTRY._replace(value=value)) == f"{value}\n"


@given(st.text(max_size=80) | st.from_regex(r"[a-z0-9._:-]{1,40}", fullmatch=True))
def test_whatever_is_observed_is_covered_unless_it_is_text(raw: str):
    seen = observe("", raw)
    if not seen.is_empty:
        _, report = rendered("plain-text", ENTRY._replace(kind=seen.kind, value=seen.value))
        assert bool(report.written) == (seen.kind != "text")


# CSV


def table(*entries: ListEntry, format: str = "sentinel-csv") -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text_of(format, *entries), newline="")))


@pytest.mark.parametrize("reason", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r\n=1", "＝1"])
@pytest.mark.parametrize(
    ("format", "cell"), [("sentinel-csv", "Reason"), ("csv", "reason"), ("defender-csv", "description")]
)
def test_a_reason_that_looks_like_a_formula_is_defused(format: str, cell: str, reason: str):
    entry = ENTRY._replace(reason=reason, may_widen=True)
    row = parts_of(entry)[0][0] if format == "defender-csv" else table(entry, format=format)[0]
    assert row[cell].startswith("'")


def test_a_hostile_value_is_defused_for_spreadsheets():
    assert table(FIXED[-1], format="csv")[0]["value"] == "'=cmd|' /C calc'!A0"


def test_a_long_reason_keeps_the_line_within_what_sentinel_takes():
    text = text_of("sentinel-csv", ENTRY._replace(reason='💥"' * 5_000, decided_by="x" * 400))
    assert max(len(line.encode()) for line in text.split("\r\n")) < 10_240


@given(st.text(), st.text())
def test_any_reason_and_person_stay_one_row_of_nine_cells(reason: str, decided_by: str):
    (found,) = table(ENTRY._replace(reason=reason, decided_by=decided_by))
    assert len(found) == 9
    assert all(isinstance(cell, str) for cell in found.values())
    assert not re.match(r"[=+\-@]", found["Reason"])
    assert not re.match(r"[=+\-@]", found["DecidedBy"])


@given(st.lists(st.text(st.sampled_from("ab\",; '\r\n\t")), min_size=2))
def test_a_row_is_quoted_as_the_csv_of_everybody_else(cells: list[str]):
    theirs = StringIO(newline="")
    csv.writer(theirs).writerow(cells)
    assert csv_row(*cells) == theirs.getvalue()


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from([UTC, timezone(timedelta(hours=-7)), ZoneInfo("Asia/Kolkata")]),
)
def test_a_moment_is_spelled_in_whole_seconds_of_utc(second: int, zone: tzinfo):
    at = datetime.fromtimestamp(second, UTC)
    assert moment(at.astimezone(zone)) == at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("format", ["sentinel-csv", "csv"])
def test_csv_reads_back_as_the_entries(format: str):
    told = [(row.get("Value", row.get("value")), row.get("Decision", row.get("decision"))) for row in
            table(*FIXED[:-1], format=format)]  # fmt: skip
    assert told == [(each.value, str(each.decision)) for each in FIXED[:-1]]


@ALL_FORMATS
def test_a_long_list_is_written_in_little_memory(format: type[Format]):
    """As a million entries would be: no more of them is held than one piece has."""
    many = (ENTRY._replace(value=f"n{number:06}.example", decision=number) for number in range(20_000))
    with Path("/dev/null").open("wb") as nowhere:
        tracemalloc.start()
        try:
            render(format, BLOCKS, many, nowhere)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 2_000_000


# Defender


def test_defender_takes_five_hundred_rows_a_part():
    entries = [ENTRY._replace(value=f"n{n}.example", decision=n, may_widen=True) for n in range(1001)]
    assert [len(part) for part in parts_of(*entries)] == [500, 500, 1]


def test_defender_widens_only_where_nothing_is_known_that_it_would_catch():
    _, report = rendered("defender-csv", ENTRY, ENTRY._replace(may_widen=True))
    assert {how for how, _ in report.causes} == {How.WIDER, How.LEFT_OUT}
    assert report.causes[How.WIDER, "subdomains too"] == 1


def test_an_allow_is_never_widened():
    _, report = rendered("defender-csv", ENTRY._replace(verdict="allowed", may_widen=True), of=ALLOWS)
    assert report.written == 0


def test_defender_wants_eight_groups_and_public_addresses():
    inside = [ENTRY._replace(kind="address", value=value) for value in ("10.20.0.7", "fd00::1")]
    ((row,),) = parts_of(FIXED[1], *inside)
    assert row["indicatorValue"] == "2606:4700:0:0:0:0:0:1111"
    assert row["expirationTime"] == "2027-11-20T00:00:00.0Z"
    assert row["action"] == "Block"


# PAN-OS


def test_each_edl_holds_its_type_alone():
    for line in text_of("pan-os-ip", *FIXED).splitlines():
        ipaddress.ip_network(line)
    domains = text_of("pan-os-domain", *FIXED).splitlines()
    urls = text_of("pan-os-url", *FIXED).splitlines()
    strict = r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*"
    assert all(re.fullmatch(strict, line) for line in domains)
    assert all(re.fullmatch(f"{strict}/", line) for line in urls)
    assert "relay-pool.example" in domains
    assert "*.relay-pool.example" in domains


SAY_THE_NAME_OF_A_STAR = ["plain-text", "pan-os-domain", "pan-os-url", "misp-warninglist"]


@pytest.mark.parametrize("format", SAY_THE_NAME_OF_A_STAR)
def test_a_name_that_is_listed_alone_and_with_all_below_is_written_once(format: str):
    star = ENTRY._replace(kind="below")
    assert text_of(format, star, ENTRY) == text_of(format, star)


# RPZ


def zone_of(*entries: ListEntry, of: Published = BLOCKS) -> dns.zone.Zone:
    return dns.zone.from_text(text_of("rpz", *entries, of=of), origin="rpz.test.", check_origin=True)


def targets(zone: dns.zone.Zone) -> dict[str, str]:
    return {str(name): rdata.to_text() for name, _, rdata in zone.iterate_rdatas("CNAME")}


def test_the_zone_loads_and_says_every_subject():
    found = targets(zone_of(*FIXED))
    assert set(found.values()) == {"."}
    assert set(found) == {
        "a.example",
        "relay-pool.example",
        "*.relay-pool.example",
        "under_score.example",
        "*.under_score.example",
        "32.7.2.0.192.rpz-ip",
        "32.9.9.9.9.rpz-ip",
        "128.1111.zz.4700.2606.rpz-ip",
        "24.0.100.51.198.rpz-ip",
        "48.zz.bad.db8.2001.rpz-ip",
    }


def test_a_name_under_a_star_would_hide_its_own_subdomains_and_is_not_said_again():
    assert "n7.relay-pool.example" not in targets(zone_of(*FIXED))


def test_a_name_with_no_room_for_the_zone_behind_it_is_left_out_and_told():
    long = ".".join(["a" * 60] * 4)[:191]
    said = REGISTRY["rpz"](BLOCKS).say(ENTRY._replace(value=long))
    assert (said.how, said.text) == (How.LEFT_OUT, "")
    assert "190 characters" in said.why


def answered(zone: dns.zone.Zone, name: str) -> bool:
    """Whether a server that has the zone answers for the name: by itself, or by the star of the closest name
    that exists (RFC 4592)."""
    owners = {str(owner) for owner in zone.nodes}
    exist = {
        ".".join(labels[at:])
        for owner in owners
        for labels in [owner.split(".")]
        for at in range(len(labels))
    }
    if name in exist:
        return name in owners
    while name := name.partition(".")[2]:
        if name in exist:
            return f"*.{name}" in owners
    return False


LABELS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4)
BELOW_TEST = LABELS.map(lambda labels: ".".join([*labels, "test"]))


@given(
    wide=st.sets(BELOW_TEST, max_size=5), names=st.sets(BELOW_TEST, max_size=5), asked=st.lists(BELOW_TEST)
)
def test_a_zone_answers_for_what_the_list_holds_and_nothing_else(
    wide: set[str], names: set[str], asked: list[str]
):
    entries = [ENTRY._replace(kind="below", value=value) for value in sorted(wide)]
    zone = zone_of(*entries, *(ENTRY._replace(value=value) for value in sorted(names)))
    for name in {*asked, *wide, *names}:
        is_held = name in names or any(f".{name}".endswith(f".{value}") for value in wide)
        assert answered(zone, name) == is_held, name


@pytest.mark.parametrize("trigger", ["rpz-ip", "rpz-client-ip", "rpz-nsip", "rpz-nsdname"])
@pytest.mark.parametrize("kind", ["name", "below"])
def test_a_name_that_a_zone_reads_as_a_trigger_is_left_out_and_told(trigger: str, kind: str):
    text, report = rendered("rpz", ENTRY._replace(kind=kind, value=f"8.0.0.0.10.{trigger}"))
    assert b"10.rpz" not in text
    assert report.left_out == 1


def test_allows_pass():
    assert set(targets(zone_of(*allowed(FIXED), of=ALLOWS)).values()) == {"rpz-passthru."}


def test_the_serial_is_the_number_of_the_publication():
    (soa,) = zone_of().find_rdataset("@", "SOA")
    assert soa.serial == 148


@given(st.ip_addresses())
def test_any_address_has_a_trigger_that_reads_back(address: ipaddress.IPv4Address | ipaddress.IPv6Address):
    (owner,) = targets(zone_of(ENTRY._replace(kind="address", value=str(address))))
    prefix, *words = owner.removesuffix(".rpz-ip").split(".")
    groups = list(reversed(words))
    if address.version == 4:
        read = ".".join(groups)
    elif "zz" in groups:
        at = groups.index("zz")
        read = f"{':'.join(groups[:at])}::{':'.join(groups[at + 1 :])}"
    else:
        read = ":".join(groups)
    assert ipaddress.ip_address(read) == address
    assert prefix == str(address.max_prefixlen)


# STIX


def indicators(*entries: ListEntry, gone: Iterable[Gone] = ()) -> list[stix2.Indicator]:
    bundle = stix2.parse(text_of("stix", *entries, gone=gone))
    return [each for each in bundle.objects if each.type == "indicator"]


def test_stix_reads_back_every_subject():
    found = {each.name: each.pattern for each in indicators(*FIXED)}
    assert len(found) == len(FIXED) - 1
    assert found["a.example"] == "[domain-name:value = 'a.example']"
    assert found["198.51.100.0/24"] == "[ipv4-addr:value = '198.51.100.0/24']"
    assert "LIKE '%.relay-pool.example'" in found["*.relay-pool.example"]
    assert "MATCHES" in found["*.under_score.example"]


def test_what_is_gone_is_revoked_under_its_old_id():
    (before,) = indicators(GONE[0].entry)
    (after,) = indicators(gone=GONE)
    assert (before.id, after.id, after.revoked) == (after.id, before.id, True)
    assert after.modified > before.modified


def test_a_new_decision_on_the_same_name_is_a_new_indicator():
    (first,), (second,) = indicators(ENTRY), indicators(ENTRY._replace(decision=13))
    assert first.id != second.id


def test_ids_are_of_version_five():
    namespace = uuid.UUID("6f0b2d6e-3f0e-5c55-9d0e-7a2f5d0c1e42")
    assert stable_id("a thing") == str(uuid.uuid5(namespace, "a thing"))


# MISP


def test_misp_reads_back_the_event():
    event = pymisp.MISPEvent()
    event.load(json.loads(text_of("misp-event", *FIXED)))
    told = {(each.type, each.value, each.to_ids) for each in event.attributes}
    assert ("domain", "a.example", True) in told
    assert ("ip-dst", "198.51.100.0/24", True) in told
    assert len(event.attributes) == len(FIXED) - 1


def test_an_allow_is_no_indicator_in_misp():
    event = pymisp.MISPEvent()
    event.load(json.loads(text_of("misp-event", *allowed(FIXED), of=ALLOWS)))
    assert {each.to_ids for each in event.attributes} == {False}


@pytest.mark.parametrize(
    ("format", "kind"),
    [
        ("misp-warninglist", "string"),
        ("misp-warninglist-names", "hostname"),
        ("misp-warninglist-networks", "cidr"),
    ],
)
def test_a_warninglist_has_the_form_of_the_repository(format: str, kind: str):
    found = json.loads(text_of(format, *allowed(FIXED), of=ALLOWS))
    assert set(found) == {"name", "description", "version", "type", "matching_attributes", "list"}
    assert (found["type"], found["version"]) == (kind, 12)
    assert len(found["list"]) == len(set(found["list"])) > 0
    if kind == "cidr":
        assert all(ipaddress.ip_network(each) for each in found["list"])


# JSON


@given(st.text(), st.text())
def test_json_keeps_every_word(reason: str, person: str):
    entry = ENTRY._replace(reason=reason.encode("utf-8", "ignore").decode(), decided_by="x")
    (read,) = json.loads(text_of("json", entry))["entries"]
    assert read["reason"] == entry.reason
    assert read["decided_at"] == "2026-11-20T12:30:05Z"


def test_slugs_are_the_keys_of_the_registry():
    assert {slug: each.slug for slug, each in REGISTRY.items()} == {slug: slug for slug in REGISTRY}
