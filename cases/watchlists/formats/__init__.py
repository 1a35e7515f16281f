"""The formats a watchlist can be taken away in. One file each; none knows the database."""

from __future__ import annotations

from cases.watchlists.formats.base import Format, Gone, How, ListEntry, Published, Report, Said
from cases.watchlists.formats.defender_csv import DefenderCsv
from cases.watchlists.formats.misp import MispEvent, WarninglistExact, WarninglistNames, WarninglistNetworks
from cases.watchlists.formats.pan_os import PanOsDomain, PanOsIp, PanOsUrl
from cases.watchlists.formats.plain_text import PlainText
from cases.watchlists.formats.rpz import Rpz
from cases.watchlists.formats.sentinel_csv import SentinelCsv
from cases.watchlists.formats.stix import Stix
from cases.watchlists.formats.whole_csv import WholeCsv
from cases.watchlists.formats.whole_json import WholeJson

__all__ = ["REGISTRY", "Format", "Gone", "How", "ListEntry", "Published", "Report", "Said"]

_FORMATS: tuple[type[Format], ...] = (
    SentinelCsv,
    DefenderCsv,
    PlainText,
    PanOsIp,
    PanOsDomain,
    PanOsUrl,
    Rpz,
    Stix,
    MispEvent,
    WarninglistExact,
    WarninglistNames,
    WarninglistNetworks,
    WholeJson,
    WholeCsv,
)
REGISTRY: dict[str, type[Format]] = {each.slug: each for each in _FORMATS}
