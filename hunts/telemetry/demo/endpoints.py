"""What programs talk to. Names end in .example or are Microsoft's own well-known ones; addresses come
from the ranges set aside for documentation and benchmarks, so that no real party is ever accused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hunts.telemetry.demo.draw import Weighted, index, pick, words, zipf
from hunts.telemetry.demo.fleet import DOMAIN, Device, lan_address
from hunts.telemetry.demo.programs import Program, Talks

_DOCUMENTATION = ("203.0.113", "198.51.100", "192.0.2")
_MICROSOFT = (
    "settings-win.data.microsoft.com", "v10.events.data.microsoft.com", "ctldl.windowsupdate.com",
    "login.microsoftonline.com", "outlook.office365.com", "graph.microsoft.com", "teams.microsoft.com",
    "config.teams.microsoft.com", "slscr.update.microsoft.com", "fe3cr.delivery.mp.microsoft.com",
    "array801.prod.do.dsp.mp.microsoft.com", "smartscreen.microsoft.com", "officeclient.microsoft.com",
    "nexusrules.officeapps.live.com", "wdcp.microsoft.com", "winatp-gw-weu.microsoft.com", "ocsp.msocsp.com",
    "client.wns.windows.com", "g.live.com", "activity.windows.com",
)  # fmt: skip
_SERVICES = (
    "api",
    "cdn",
    "www",
    "static",
    "img",
    "login",
    "sync",
    "push",
    "assets",
    "telemetry",
    "updates",
    "eu-west",
    "media",
)
_SITE_FRONT = words(
    "blue north river silver open bright green stone cloud quick lime polar amber clear swift"
)
_SITE_BACK = words(
    "pine works market news shop mail forum atlas radio travel bank school garden sport recipes maps"
)
_PUBLIC_PORTS = Weighted((443, 80, 53, 123), (89, 8, 2, 1))
_LAN_PORTS = Weighted((53, 389, 445, 135, 88, 5985, 443, 49674), (35, 12, 12, 8, 8, 8, 5, 12))
_KINDS = Weighted(("address", "both", "name"), (50, 40, 10))
_WEB_KINDS = Weighted(("address", "both", "name"), (12, 76, 12))
_FORMS = Weighted(
    ("host", "https", "http", "port", "upper", "dot", "label", "srv", "arpa", "idn", "literal"),
    (77, 14, 3, 1, 2, 1, 1, 0.5, 0.2, 0.2, 0.1),
)
_ADDRESS_FORMS = Weighted(("v4", "v6", "mapped"), (88, 10, 2))
_EXPONENTS = {Talks.WEB: 0.75, Talks.PEERS: 1.0}


@dataclass(frozen=True)
class Endpoint:
    """`json` holds the row's columns of the remote end, as the inside of a JSON object."""

    json: str
    inbound: bool = False


def remote_end(
    ip: str | None, url: str | None, port: int | None, protocol: str = "Tcp", *, inbound: bool = False
) -> Endpoint:
    columns = {
        "RemoteIP": ip,
        "RemoteUrl": url,
        "RemotePort": port,
        "Protocol": protocol,
        "RemoteIPType": _address_type(ip),
    }
    return Endpoint(json.dumps(columns)[1:-1], inbound)


def build_pool(rng: Random, program: Program, devices: Sequence[Device]) -> Weighted[Endpoint]:
    """The endpoints of a program, its favourites first."""
    make = {
        Talks.WINDOWS: _windows_end,
        Talks.WEB: _web_end,
        Talks.VENDOR: _vendor_end,
        Talks.DOMAIN: _domain_end,
        Talks.PEERS: _peer_end,
    }[program.talks]
    ends = [make(rng, program, devices) for _ in range(program.pool)]
    return zipf(ends, _EXPONENTS.get(program.talks, 1.4))


def public_address(rng: Random) -> str:
    """Crowded networks and lone ones, as with real hosters."""
    if rng.random() < 0.3:
        return f"{pick(rng, _DOCUMENTATION)}.{1 + index(rng, 254)}"
    return f"198.{18 + index(rng, 2)}.{int(256 * rng.random() ** 3)}.{1 + index(rng, 254)}"


def vendor_domain(program: Program) -> str:
    word = program.name.lower().split(".")[0].split()[0].replace("_", "-")
    return f"{word.encode('idna').decode()}.example"


def _windows_end(rng: Random, program: Program, devices: Sequence[Device]) -> Endpoint:
    if rng.random() < 0.25:
        return _domain_end(rng, program, devices)
    host = _MICROSOFT[int(len(_MICROSOFT) * rng.random() ** 1.5)]
    if rng.random() < 0.5:
        host = f"{pick(rng, words('weu neu cus eus sea'))}-{index(rng, 60):02d}.{host}"
    return _public_end(rng, host, _KINDS)


def _web_end(rng: Random, program: Program, devices: Sequence[Device]) -> Endpoint:
    site = f"{_SITE_FRONT[int(15 * rng.random() ** 1.3)]}{pick(rng, _SITE_BACK)}"
    if rng.random() < 0.5:
        site += str(index(rng, 30))
    return _public_end(rng, f"{pick(rng, _SERVICES)}.{site}.example", _WEB_KINDS)


def _vendor_end(rng: Random, program: Program, devices: Sequence[Device]) -> Endpoint:
    number = f"-{index(rng, 12)}" if program.pool > 10 else ""
    return _public_end(rng, f"{pick(rng, _SERVICES)}{number}.{vendor_domain(program)}", _KINDS)


def _domain_end(rng: Random, program: Program, devices: Sequence[Device]) -> Endpoint:
    server = pick(rng, [device for device in devices if device.is_server])
    port = _LAN_PORTS.draw(rng)
    if rng.random() < 0.2:
        return remote_end(server.address, f"{server.name}.{DOMAIN}", port)
    if rng.random() < 0.02:
        return remote_end("fe80::797c:af4c:4407:b0cc", None, 5355, "Udp")
    return remote_end(server.address, None, port, "Udp" if port == 53 else "Tcp")


def _peer_end(rng: Random, program: Program, devices: Sequence[Device]) -> Endpoint:
    if rng.random() < 0.05:
        return remote_end(
            pick(rng, ("224.0.0.251", "239.255.255.250", "ff02::fb", "127.0.0.1", "::1")), None, 5353, "Udp"
        )
    return remote_end(lan_address(rng), None, 49152 + index(rng, 16000), inbound=rng.random() < 0.6)


def _public_end(rng: Random, host: str, kinds: Weighted[str]) -> Endpoint:
    kind, port = kinds.draw(rng), _PUBLIC_PORTS.draw(rng)
    protocol = "Udp" if port in (53, 123) else pick(rng, ("Tcp",) * 14 + ("Udp",))
    ip = None if kind == "name" else _spelled_address(rng)
    url = None if kind == "address" else _spelled_name(rng, host)
    return remote_end(ip, url, port, protocol)


def _spelled_address(rng: Random) -> str:
    form = _ADDRESS_FORMS.draw(rng)
    if form == "mapped":
        return f"::ffff:{public_address(rng)}"
    if form == "v4":
        return public_address(rng)
    network, host = index(rng, 40), 1 + index(rng, 2000)
    spelling = rng.random()
    if spelling < 0.01:
        return f"2001:db8:{network:x}:0:0:0:0:{host:x}"
    compressed = f"2001:db8:{network:x}::{host:x}"
    return compressed.upper() if spelling < 0.015 else compressed


def _spelled_name(rng: Random, host: str) -> str:
    form = _FORMS.draw(rng)
    return {
        "host": host,
        "https": f"https://{host}/v{1 + index(rng, 4)}/items?page={index(rng, 50)}",
        "http": f"http://{host}/",
        "port": f"{host}:443",
        "upper": host.upper(),
        "dot": f"{host}.",
        "label": host.split(".")[0],
        "srv": f"_ldap._tcp.dc._msdcs.{DOMAIN}",
        "arpa": f"{1 + index(rng, 254)}.2.0.192.in-addr.arpa.",
        "idn": "xn--prfwerk-o2a.example",
        "literal": "192.0.2.80",
    }[form]


def _address_type(ip: str | None) -> str | None:
    if ip is None:
        return None
    if ip.startswith("::ffff:"):
        return "FourToSixMapping"
    if ip.startswith("10."):
        return "Private"
    if ip in ("127.0.0.1", "::1"):
        return "Loopback"
    return "Reserved" if ip.startswith(("224.", "239.", "ff02", "fe80")) else "Public"
