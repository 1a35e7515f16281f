"""The machines of a company that does not exist: Tarn Instruments, three sites."""

import hashlib
from dataclasses import dataclass
from random import Random

from hunts.telemetry.demo.draw import index, pick, words

DOMAIN = "corp.tarn.example"
GROUPS = {"w": "Workstations", "l": "Laptops", "srv": "Servers"}
_SITES = (("lis", 10, 130), ("ber", 20, 90), ("osl", 30, 60))
_SERVERS = ("build", "file", "print", "sql", "web", "dc", "mgmt", "scan", "backup", "erp")
_FIRST = words(
    "ana bruno david elif finn greta hugo ines jonas kaia luis marta nils olga pedro rita sven tuva vera"
)
_LAST = words(
    "almeida becker dahl engel ferreira gruber haugen ivanova jensen koch lopes moreira nilsen ost pinto"
)


@dataclass(frozen=True)
class Device:
    name: str
    address: str
    # "w", "l" or "srv".
    role: str
    user: str

    @property
    def device_id(self) -> str:
        return hashlib.sha1(self.name.encode(), usedforsecurity=False).hexdigest()

    @property
    def is_server(self) -> bool:
        return self.role == "srv"


def build_fleet(rng: Random) -> list[Device]:
    people = _people(rng)
    devices: list[Device] = []
    for site, network, size in _SITES:
        for number in range(size):
            role = "l" if rng.random() < 0.35 else "w"
            devices.append(
                Device(
                    name=f"{site}-{role}-{100 + number:04d}",
                    address=f"10.{network}.{number // 200}.{20 + number % 200}",
                    role=role,
                    user=people[len(devices) % len(people)],
                )
            )
    for place, kind in enumerate(_SERVERS):
        for number in range(1, 4):
            address = f"10.10.250.{10 + 3 * place + number}"
            devices.append(Device(f"srv-{kind}-{number:02d}", address, "srv", f"svc-{kind}"))
    return devices


def _people(rng: Random) -> list[str]:
    names = [f"{first[0]}.{last}" for first in _FIRST for last in _LAST]
    for last in range(len(names) - 1, 0, -1):
        other = index(rng, last + 1)
        names[last], names[other] = names[other], names[last]
    return names


def some_devices(rng: Random, devices: list[Device], share: float) -> list[Device]:
    """In a drawn order; at least one."""
    drawn = sorted((rng.random(), number) for number in range(len(devices)))
    return [devices[number] for _, number in drawn[: max(1, round(share * len(devices)))]]


def lan_address(rng: Random) -> str:
    return f"10.{pick(rng, (10, 20, 30))}.{index(rng, 4)}.{1 + index(rng, 254)}"
