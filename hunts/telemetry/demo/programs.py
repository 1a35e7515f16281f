# ruff: noqa: E501  # one program a line reads as a table
"""The programs that run on the fleet."""

import hashlib
from dataclasses import dataclass
from enum import Enum
from random import Random

from hunts.telemetry.demo.draw import pick, words


class Talks(Enum):
    """What a program mostly talks to."""

    WINDOWS = "Microsoft's services"
    DOMAIN = "domain controllers and file servers"
    WEB = "the web"
    VENDOR = "its vendor"
    PEERS = "other machines here, which also call in"


@dataclass(frozen=True)
class Program:
    name: str
    talks: Talks
    # Its share of events, and how many endpoints it has; see pool sizes in endpoints.py.
    weight: float
    pool: int
    folder: str
    company: str
    product: str
    # The share of machines that have it, and which machines: any, people's ("pc") or servers ("srv").
    share: float = 1.0
    where: str = "any"
    parent: str = "explorer.exe"
    arguments: str = ""
    account: str = "user"
    # Days before the end at which a new version, with a new hash, came; None for no change.
    new_version: int | None = None

    def path(self, user: str) -> str:
        return f"{self.folder.replace('<user>', user)}\\{self.name.lower()}"


_WINDOWS = "c:\\windows\\system32"
_FILES = "c:\\program files"
_FILES_86 = "c:\\program files (x86)"
_APPDATA = "c:\\users\\<user>\\appdata\\local"
_MS = "Microsoft Corporation"
_OS = "Microsoft® Windows® Operating System"

KNOWN = (
    Program("svchost.exe", Talks.WINDOWS, 36, 560, _WINDOWS, _MS, _OS, parent="services.exe", arguments="-k netsvcs -p", account="network service"),
    Program("msedge.exe", Talks.WEB, 13, 5200, f"{_FILES_86}\\microsoft\\edge\\application", _MS, "Microsoft Edge", 0.9, "pc", arguments="--type=utility", new_version=12),
    Program("chrome.exe", Talks.WEB, 9, 3600, f"{_FILES}\\google\\chrome\\application", "Google LLC", "Google Chrome", 0.6, "pc", arguments="--type=utility", new_version=6),
    Program("ms-teams.exe", Talks.WINDOWS, 7, 160, f"{_FILES}\\windowsapps\\msteams", _MS, "Microsoft Teams", 0.85, "pc", new_version=16),
    Program("OUTLOOK.EXE", Talks.WINDOWS, 6, 120, f"{_FILES}\\microsoft office\\root\\office16", _MS, "Microsoft Office", 0.9, "pc"),
    Program("lsass.exe", Talks.DOMAIN, 5, 60, _WINDOWS, _MS, _OS, parent="wininit.exe", account="system"),
    Program("System", Talks.PEERS, 4, 300, "", "", "", parent="", account="system"),
    Program("OneDrive.exe", Talks.WINDOWS, 3.5, 90, f"{_APPDATA}\\microsoft\\onedrive", _MS, "Microsoft OneDrive", 0.8, "pc", arguments="/background", new_version=20),
    Program("MsSense.exe", Talks.WINDOWS, 3, 40, f"{_FILES}\\windows defender advanced threat protection", _MS, _OS, parent="services.exe", account="system"),
    Program("MsMpEng.exe", Talks.WINDOWS, 2.5, 220, "c:\\programdata\\microsoft\\windows defender\\platform", _MS, _OS, parent="services.exe", account="system"),
    Program("dns.exe", Talks.PEERS, 2, 350, _WINDOWS, _MS, _OS, 0.1, "srv", "services.exe", "", "system"),
    Program("EXCEL.EXE", Talks.WINDOWS, 1.6, 70, f"{_FILES}\\microsoft office\\root\\office16", _MS, "Microsoft Office", 0.7, "pc"),
    Program("WINWORD.EXE", Talks.WINDOWS, 1.4, 60, f"{_FILES}\\microsoft office\\root\\office16", _MS, "Microsoft Office", 0.7, "pc"),
    Program("powershell.exe", Talks.WINDOWS, 1.2, 75, f"{_WINDOWS}\\windowspowershell\\v1.0", _MS, _OS, 0.4, arguments="-NoProfile -File inventory.ps1", account="system"),
    Program("backgroundTaskHost.exe", Talks.WINDOWS, 1.1, 80, _WINDOWS, _MS, _OS, 0.9, "pc", "svchost.exe", "-ServerName:App.AppX"),
    Program("SearchApp.exe", Talks.WINDOWS, 1, 50, "c:\\windows\\systemapps\\microsoft.windows.search", _MS, _OS, 0.9, "pc", "svchost.exe"),
    Program("slack.exe", Talks.VENDOR, 0.9, 45, f"{_APPDATA}\\slack", "Slack Technologies Inc.", "Slack", 0.35, "pc", new_version=9),
    Program("zoom.exe", Talks.VENDOR, 0.8, 110, "c:\\users\\<user>\\appdata\\roaming\\zoom\\bin", "Zoom Video Communications, Inc.", "Zoom", 0.5, "pc"),
    Program("code.exe", Talks.VENDOR, 0.7, 90, f"{_APPDATA}\\programs\\microsoft vs code", _MS, "Visual Studio Code", 0.2, "pc"),
    Program("GoogleUpdate.exe", Talks.VENDOR, 0.6, 18, f"{_FILES_86}\\google\\update", "Google LLC", "Google Update", 0.6, "pc", "svchost.exe", "/ua /installsource scheduler", "system"),
    Program("spoolsv.exe", Talks.DOMAIN, 0.5, 25, _WINDOWS, _MS, _OS, parent="services.exe", account="system"),
    Program("WmiPrvSE.exe", Talks.DOMAIN, 0.5, 30, f"{_WINDOWS}\\wbem", _MS, _OS, 0.5, "any", "svchost.exe", "", "network service"),
    Program("wermgr.exe", Talks.WINDOWS, 0.4, 12, _WINDOWS, _MS, _OS, 0.6, "any", "svchost.exe", "-upload"),
    Program("python.exe", Talks.VENDOR, 0.4, 60, "c:\\tools\\python311", "Python Software Foundation", "Python", 0.12, "any", "cmd.exe", "sync_prices.py"),
    Program("java.exe", Talks.DOMAIN, 0.4, 40, f"{_FILES}\\java\\jre\\bin", "Eclipse Adoptium", "OpenJDK", 0.5, "srv", "erp-launcher.exe", "-jar erp.jar", "service"),
    Program("sqlservr.exe", Talks.PEERS, 0.4, 60, f"{_FILES}\\microsoft sql server\\mssql16\\binn", _MS, "Microsoft SQL Server", 0.1, "srv", "services.exe", "-sERP", "service"),
    Program("git-remote-https.exe", Talks.VENDOR, 0.3, 8, f"{_FILES}\\git\\mingw64\\libexec\\git-core", "The Git Development Community", "Git", 0.15, "pc", "git.exe"),
    Program("curl.exe", Talks.VENDOR, 0.2, 30, _WINDOWS, "curl, https://curl.se/", "The curl executable", 0.1, "any", "cmd.exe", "-fsS"),
    Program("telemetryd_v2", Talks.VENDOR, 0.15, 6, "/usr/local/bin", "", "", 0.03, "pc", "launchd"),
    Program("microsoft update assistant", Talks.WINDOWS, 0.1, 9, "/library/application support/microsoft", _MS, "", 0.03, "pc", "launchd"),
    Program("Prüfdienst.exe", Talks.VENDOR, 0.1, 5, f"{_FILES}\\prüfwerk", "Prüfwerk GmbH", "Prüfdienst", 0.08, "pc", "services.exe", "", "system"),
)  # fmt: skip

_FRONT = words(
    "atlas beacon cobalt delta ember falcon garnet harbor indigo juniper kestrel lumen meridian nimbus orbit"
)
_BACK = ("agent", "sync", "client", "helper", "tray", "launcher", "monitor", "bridge")
RARE_PROGRAMS = 90


def rare_programs(rng: Random) -> list[Program]:
    """Small tools that few machines have."""
    programs = []
    for number in range(RARE_PROGRAMS):
        front, back = _FRONT[number % len(_FRONT)], _BACK[number // len(_FRONT) % len(_BACK)]
        vendor = front.capitalize()
        programs.append(
            Program(
                name=f"{front}-{back}.exe" if number % 3 else f"{vendor}{back.capitalize()}.exe",
                talks=Talks.VENDOR,
                weight=0.12 / (1 + number / 6),
                pool=pick(rng, (1, 2, 3, 3, 4, 7, 12)),
                folder=f"{_FILES}\\{front}",
                company=f"{vendor} Software",
                product=f"{vendor} {back.capitalize()}",
                share=pick(rng, (0.004, 0.01, 0.03, 0.1)),
                where="pc",
                parent=pick(rng, ("explorer.exe", "services.exe")),
            )
        )
    return programs


def sha1_of(program: str, version: int) -> str:
    return hashlib.sha1(f"{program} {version}".encode(), usedforsecurity=False).hexdigest()
