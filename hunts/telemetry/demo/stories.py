"""Four stories in the demo telemetry, so that a first look finds something.

- `syncsvc.exe`, unsigned and in AppData, calls one odd name every five minutes, for nine days now;
- `updater.exe` and `update-helper.exe`, a vendor's updater, have a new version and new hosts, three days old;
- the browsers, with thousands of names, are programs like any other and live in programs.py;
- `netscan.exe` looks for open ports inside, three nights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from hunts.telemetry.demo.draw import Weighted, index, pick, zipf
from hunts.telemetry.demo.endpoints import Endpoint, remote_end
from hunts.telemetry.demo.fleet import Device, lan_address
from hunts.telemetry.demo.programs import Program, Talks

BEACON = Program(
    "syncsvc.exe", Talks.VENDOR, 0, 0, "c:\\users\\<user>\\appdata\\local\\temp\\sync", "", "",
    parent="WINWORD.EXE", arguments="-k 300",
)  # fmt: skip
_UPDATER_FOLDER = "c:\\program files\\northwind\\update"
UPDATER = Program(
    "updater.exe", Talks.VENDOR, 0, 0, _UPDATER_FOLDER, "Northwind Traders", "Northwind Updater",
    parent="services.exe", arguments="/silent", account="system", new_version=3,
)  # fmt: skip
UPDATE_HELPER = Program(
    "update-helper.exe", Talks.VENDOR, 0, 0, _UPDATER_FOLDER, "Northwind Traders", "Northwind Update Helper",
    parent="updater.exe", arguments="--apply", account="system", new_version=3,
)  # fmt: skip
SCANNER = Program(
    "netscan.exe", Talks.PEERS, 0, 0, "c:\\tools\\netscan", "Ridgeline Security", "Netscan",
    parent="services.exe", arguments="--profile weekly", account="service",
)  # fmt: skip

_RELAY = "a4k9zt.relay-status.example"
_RELAY_ADDRESSES = ("203.0.113.77", "198.51.100.23")
_OLD_HOSTS = ("updates.northwind.example", "cdn1.northwind.example", "cdn2.northwind.example")
_NEW_HOSTS = ("dl.northwind-edge.example", "dl-eu.northwind-edge.example", "metrics.northwind-edge.example")
_SCANNED_PORTS = (22, 80, 135, 139, 443, 445, 3389, 5985, 8080, 9100)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Moment:
    """One event of a story."""

    time: datetime
    program: Program
    device: Device
    end: Endpoint
    failed: bool = False


def beacon(rng: Random, devices: Sequence[Device], end: datetime) -> Iterator[Moment]:
    ends = Weighted(
        [
            *(remote_end(address, _RELAY, 443) for address in _RELAY_ADDRESSES),
            remote_end(None, _RELAY, 443),
            *(remote_end(address, None, 443) for address in _RELAY_ADDRESSES),
        ],
        (70, 18, 4, 6, 2),
    )
    laptops = [device for device in devices if not device.is_server]
    for days_ago in (9, 8, 6, 3):
        device = pick(rng, laptops)
        time = end - days_ago * _DAY + timedelta(seconds=index(rng, 30_000))
        while time < end:
            yield Moment(time, BEACON, device, ends.draw(rng), rng.random() < 0.03)
            time += timedelta(seconds=300 * (0.8 + 0.4 * rng.random()))


def updater(rng: Random, devices: Sequence[Device], end: datetime) -> Iterator[Moment]:
    old = [remote_end(f"198.51.100.{100 + place}", host, 443) for place, host in enumerate(_OLD_HOSTS)]
    new = [remote_end(f"203.0.113.{140 + place}", host, 443) for place, host in enumerate(_NEW_HOSTS)]
    before, after = zipf(old, 1.0), zipf([*new, *old], 0.8)
    for device in devices:
        if device.is_server:
            continue
        time = end - 30 * _DAY + timedelta(seconds=index(rng, 86_400))
        while time < end:
            ends = after if time > end - 3 * _DAY else before
            program = UPDATER if rng.random() < 0.7 else UPDATE_HELPER
            yield Moment(time, program, device, ends.draw(rng))
            time += timedelta(hours=20 + 12 * rng.random())


def scanner(rng: Random, devices: Sequence[Device], end: datetime) -> Iterator[Moment]:
    machine = next(device for device in devices if device.name.startswith("srv-scan"))
    for days_ago in (22, 15, 8, 1):
        night = (end - days_ago * _DAY).replace(hour=1, minute=0, second=0, microsecond=0)
        for _ in range(4_000):
            time = night + timedelta(seconds=14_400 * rng.random())
            scanned = remote_end(lan_address(rng), None, pick(rng, _SCANNED_PORTS))
            yield Moment(time, SCANNER, machine, scanned, rng.random() < 0.7)


def all_moments(rng: Random, devices: Sequence[Device], end: datetime) -> Iterator[list[Moment]]:
    for story in (beacon, updater, scanner):
        yield [moment for moment in story(rng, devices, end) if moment.time < end]
