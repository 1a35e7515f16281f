"""Made-up telemetry of a made-up fleet: the last 30 days, as JSON lines of the streaming API.

The same seed, count and end always give the same lines. Shares of row kinds and spellings follow what
real exports look like; only ASCII letters are upper-cased.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from string import ascii_lowercase, ascii_uppercase

from hunts.telemetry.demo.draw import Weighted, index, pick, zipf
from hunts.telemetry.demo.endpoints import Endpoint, build_pool, remote_end
from hunts.telemetry.demo.fleet import DOMAIN, GROUPS, Device, build_fleet, lan_address, some_devices
from hunts.telemetry.demo.programs import KNOWN, Program, rare_programs, sha1_of
from hunts.telemetry.demo.stories import Moment, all_moments
from hunts.telemetry.names import file_key

DAYS = 30
_HOUR = timedelta(hours=1)
_TENANT = "00000000-0000-0000-0000-000000000000"
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
# No story takes more than this part of all events, however few are asked for.
_STORY_SHARE = 0.06
_DOUBLE_SHARE = 0.02
_KINDS = Weighted(("named", "no process", "listening"), (72, 25, 3))
_ACTIONS = Weighted(
    ("ConnectionSuccess", "ConnectionFailed", "ConnectionFound", "ConnectionRequest"), (81, 10, 4.5, 4.5)
)
_INSPECTED = Weighted(
    ("DnsConnectionInspected", "SslConnectionInspected", "NetworkSignatureInspected", "ConnectionAttempt",
     "InboundConnectionAttempt", "InboundConnectionAcknowledged", "IcmpConnectionInspected"),
    (30, 25, 15, 12, 8, 6, 4),
)  # fmt: skip
_NO_PROCESS = json.dumps(
    {"InitiatingProcessFileName": None, "InitiatingProcessId": 0, "InitiatingProcessTokenElevation": "None"}
)[1:-1]


def demo_lines(*, seed: int, count: int, end: datetime) -> Iterator[str]:
    """`count` lines, each with its newline; a few repeat the one before, as exports do."""
    return _Telemetry(Random(seed), count, end).lines()  # noqa: S311  # nothing here is a secret


class _Telemetry:
    def __init__(self, rng: Random, count: int, end: datetime) -> None:
        self._rng = rng
        self._count = count
        self._end = end
        self._fleet = build_fleet(rng)
        self._report_ids = {device.name: _first_report_id(place) for place, device in enumerate(self._fleet)}
        self._hours = _working_hours(end)
        self._devices = {device.name: json.dumps(_device_columns(device))[1:-1] for device in self._fleet}
        self._processes: dict[tuple[str, str, int, str], str] = {}
        programs = [*KNOWN, *rare_programs(rng)]
        self._programs = Weighted(programs, [program.weight for program in programs])
        self._pools = {program.name: build_pool(rng, program, self._fleet) for program in programs}
        self._homes = {program.name: self._machines(program) for program in programs}
        self._anyone = zipf(self._fleet, 0.4)

    def lines(self) -> Iterator[str]:
        left = self._count
        for moments in all_moments(self._rng, self._fleet, self._end):
            cap = int(_STORY_SHARE * self._count)
            for moment in sorted(self._rng.sample(moments, min(cap, len(moments))), key=lambda m: m.time):
                yield self._line_of(moment)
                left -= 1
        line = ""
        while left > 0:
            if not line or self._rng.random() >= _DOUBLE_SHARE:
                line = self._background_line()
            yield line
            left -= 1

    def _machines(self, program: Program) -> Weighted[Device]:
        fits = [
            device
            for device in self._fleet
            if program.where == "any" or device.is_server == (program.where == "srv")
        ]
        return zipf(some_devices(self._rng, fits, program.share), 0.6)

    def _line_of(self, moment: Moment) -> str:
        action = "ConnectionFailed" if moment.failed else "ConnectionSuccess"
        process = self._process(moment.program, moment.device, moment.time)
        return self._line(moment.time, moment.device, process, moment.end.json, action)

    def _background_line(self) -> str:
        rng, time = self._rng, self._time()
        kind = _KINDS.draw(rng)
        if kind == "no process":
            seen = remote_end(lan_address(rng), None, 1 + index(rng, 60_000), "TcpV4")
            return self._line(time, self._anyone.draw(rng), _NO_PROCESS, seen.json, _INSPECTED.draw(rng))
        program = self._programs.draw(rng)
        device = self._homes[program.name].draw(rng)
        process = self._process(program, device, time)
        if kind == "listening":
            empty = pick(rng, (None, ""))
            return self._line(
                time, device, process, remote_end(empty, empty, None).json, "ListeningConnectionCreated"
            )
        end = self._pools[program.name].draw(rng)
        action = "InboundConnectionAccepted" if end.inbound else _ACTIONS.draw(rng)
        return self._line(time, device, process, self._with_empty_name(end), action)

    def _with_empty_name(self, end: Endpoint) -> str:
        """An absent name is mostly null, sometimes ""."""
        if self._rng.random() < 0.1:
            return end.json.replace('"RemoteUrl": null', '"RemoteUrl": ""')
        return end.json

    def _time(self) -> datetime:
        hour = self._hours.draw(self._rng)
        room = min(_HOUR, self._end - hour)
        return hour + room * self._rng.random()

    def _process(self, program: Program, device: Device, time: datetime) -> str:
        spelled = self._rng.random()
        spelling = "" if spelled < 0.97 else "lower" if spelled < 0.99 else "upper"
        changes = program.new_version is not None and time > self._end - timedelta(days=program.new_version)
        key = (program.name, device.user, int(changes), spelling)
        if key not in self._processes:
            columns = _process_columns(program, device, int(changes), _spelled(program.name, spelling))
            self._processes[key] = json.dumps(columns)[1:-1]
        return self._processes[key]

    def _line(self, time: datetime, device: Device, process: str, end: str, action: str) -> str:
        self._report_ids[device.name] += 1
        port, report = 49152 + index(self._rng, 16_000), self._report_ids[device.name]
        stamp = self._stamp(time)
        return (
            f'{{"time": "{stamp}", "tenantId": "{_TENANT}", "operationName": "Publish",'
            f' "category": "AdvancedHunting-DeviceNetworkEvents", "properties": {{"Timestamp": "{stamp}",'
            f' {self._devices[device.name]}, {process}, {end}, "ActionType": "{action}",'
            f' "LocalPort": {port}, "ReportId": {report}}},'
            ' "Tenant": "DefaultTenant"}\n'
        )

    def _stamp(self, time: datetime) -> str:
        """Seven decimals, sometimes fewer, as Defender writes them."""
        text = time.isoformat(timespec="microseconds")[:26] + pick(self._rng, "0123456789")
        if self._rng.random() < 0.05:
            text = text[: 25 + index(self._rng, 2)]
        return text + "Z"


def _first_report_id(place: int) -> int:
    """One machine in a hundred counts beyond 32 bits."""
    return 18_984_951_960 if place % 100 == 7 else 1_000 * (place % 50)


def _working_hours(end: datetime) -> Weighted[datetime]:
    first = end.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    hours = [first + timedelta(hours=hour) for hour in range(24 * DAYS)]
    past = [hour for hour in hours if hour < end]
    return Weighted(past, [_busy(hour) * min(1.0, (end - hour) / _HOUR) for hour in past])


def _busy(hour: datetime) -> float:
    return (3 if hour.weekday() < 5 else 1) * (4 if 8 <= hour.hour < 18 else 1)


def _device_columns(device: Device) -> dict[str, object]:
    return {
        "DeviceId": device.device_id,
        "DeviceName": f"{device.name}.{DOMAIN}",
        "MachineGroup": GROUPS[device.role],
        "LocalIP": device.address,
        "LocalIPType": "Private",
    }


def _process_columns(program: Program, device: Device, version: int, name: str) -> dict[str, object]:
    account = {"system": "system", "network service": "network service"}.get(program.account, device.user)
    path = program.path(device.user)
    return {
        "InitiatingProcessFileName": name,
        "InitiatingProcessFolderPath": path if program.folder else None,
        "InitiatingProcessSHA1": sha1_of(program.name, version) if program.folder else None,
        "InitiatingProcessVersionInfoCompanyName": program.company or None,
        "InitiatingProcessVersionInfoProductName": program.product or None,
        "InitiatingProcessVersionInfoProductVersion": f"11.{3 + version}" if program.product else None,
        "InitiatingProcessCommandLine": f'"{name}" {program.arguments}'.rstrip(),
        "InitiatingProcessParentFileName": program.parent or None,
        "InitiatingProcessAccountDomain": "nt authority" if account != device.user else "tarn",
        "InitiatingProcessAccountName": account,
        "InitiatingProcessIntegrityLevel": "Medium" if account == device.user else "System",
        "InitiatingProcessId": 4 + 4 * (len(name) + 37 * version + len(device.user) * 11),
    }


def _spelled(name: str, spelling: str) -> str:
    """Upper-cases ASCII letters only: Kusto folds no others."""
    if spelling == "lower":
        return file_key(name)
    return name.translate(_UPPER) if spelling == "upper" else name
