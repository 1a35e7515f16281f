"""What the environment may say, read once into one typed object.

Every setting is a field below and nowhere else; docs/settings.md is made from these fields
(`python -m footprint.configuration`). Any of them can also be given as NAME_FILE, the path of a
file that holds the value.
"""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

CHECKOUT = Path(__file__).resolve().parent.parent
PREFIX = "FOOTPRINT_"
SHORTEST_SECRET = 50
_OWN_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\Z", re.ASCII)
_TRUSTED_HOST = re.compile(r"\.?[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", re.ASCII)

# Read by the tests and by no code of the product.
FOR_TESTS_ONLY = {"FOOTPRINT_REAL_TELEMETRY"}


class BadConfiguration(Exception):
    """The environment says something that cannot be; the text names every fault at once."""


@dataclass(frozen=True)
class UnreadableFile:
    """Stands where the text of a NAME_FILE should be, so that its fault is listed with the others."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"the file {self.path} cannot be read: {self.reason}"


class FileSource(EnvSettingsSource):
    """Takes a value from the file that NAME_FILE names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        for key, env_name, is_complex in self._extract_field_info(field, field_name):
            path = self.env_vars.get(f"{env_name}_file".lower())
            if path:
                return _read_secret(path), key, is_complex
        return None, field_name, False

    def prepare_field_value(
        self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool
    ) -> Any:
        return value


def _read_secret(path: str) -> str | UnreadableFile:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        return UnreadableFile(path, getattr(error, "strerror", None) or "it is not UTF-8 text")


class Configuration(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        repr=False,
        description="postgresql://user:password@host:port/name, PostgreSQL 15 or newer. "
        "Without it an embedded PostgreSQL runs in the data directory.",
    )
    embedded_database: str = Field(
        "footprint",
        pattern="^[a-z][a-z0-9_]{0,62}$",
        description="Name of the database in the embedded PostgreSQL.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="redis://, rediss:// or redis+socket:// address of Valkey or Redis 6.2 or newer. "
        "Without it an embedded Valkey runs in the data directory.",
    )
    secret_key: str | None = Field(
        None,
        validation_alias="SECRET_KEY",
        repr=False,
        description="At least 50 characters, signs sessions. Required with DATABASE_URL; "
        "on one machine it is made once and kept in the data directory.",
    )
    ledger_key: str | None = Field(
        None,
        repr=False,
        description="Signs checkpoints of the ledger: 32 random bytes in base64 (`openssl rand -base64 32`). "
        "On one machine it is made once and kept in the data directory.",
    )
    checkpoint_file: Path = Field(
        CHECKOUT / "var" / "checkpoints.jsonl",
        description="Every checkpoint of the ledger is added to this file; best on another disk or machine. "
        "Default: checkpoints.jsonl in the data directory.",
    )
    sign_in_failures: int = Field(
        5,
        ge=1,
        le=100,
        description="Failed sign-ins with one name from one address before that pair is locked out; "
        "ten times as many with any names lock the address out.",
    )
    sign_in_lock_minutes: int = Field(
        15, ge=1, le=1440, description="How long failed sign-ins are counted together, and a lock-out lasts."
    )
    checkpoint_minutes: int = Field(
        60,
        ge=1,
        le=1440,
        description="How often the head of the ledger is signed, beside each publication and export.",
    )
    data_dir: Path = Field(
        CHECKOUT / "var",
        validation_alias="FOOTPRINT_DATA",
        description="Everything that is kept on this machine lies below this folder.",
    )
    telemetry_dir: Path = Field(
        CHECKOUT / "var" / "telemetry",
        description="Parquet files of the local sources. Default: telemetry in the data directory.",
    )
    hosts: str = Field(
        "",
        description="Host names under which browsers reach the site, separated by commas. "
        "Required with DATABASE_URL; on one machine: localhost, 127.0.0.1 and [::1].",
    )
    https: bool = Field(
        default=False,
        description="Browsers come over HTTPS: secure cookies, HSTS, redirects. By itself with DATABASE_URL.",
    )
    behind_proxy: bool = Field(
        False,
        description="A proxy in front sets X-Forwarded-Proto and strips it from what browsers send.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged."
    )
    log_format: Literal["json", "text"] = Field(
        "text", description="json: one object a line, by itself with DATABASE_URL. text: for reading."
    )
    web_processes: int = Field(2, ge=1, le=64, description="Web processes that `manage.py up` starts.")
    web_threads: int = Field(4, ge=1, le=64, description="Threads of each web process.")
    worker_processes: int = Field(2, ge=1, le=64, description="Slices that one worker asks at the same time.")
    store_processes: int = Field(
        1, ge=1, le=16, description="Stores that one worker changes at the same time, beside the slices."
    )
    stop_seconds: int = Field(
        10,
        ge=1,
        le=900,
        description="How long `manage.py up` waits for each process to end before it is killed.",
    )
    lease_seconds: int = Field(
        90, ge=1, le=3600, description="A slice whose worker is silent this long is given to another worker."
    )
    heartbeat_seconds: float = Field(
        20, gt=0, le=1200, description="How often a worker renews its lease. At most half of the lease."
    )
    sweep_seconds: float = Field(
        30, gt=0, le=3600, description="How often left-over slices and lost messages are looked for."
    )
    batch_step: int = Field(
        5_000,
        ge=1,
        le=50_000,
        description="Most values of a bulk decision that are decided in one transaction.",
    )
    batch_step_ms: int = Field(
        100,
        ge=1,
        le=60_000,
        description="How long such a transaction should take, in milliseconds: the number of values of the "
        "next one goes halfway to what would have fitted. Whoever decides beside it waits for one at most.",
    )
    batch_most: int = Field(
        250_000, ge=1, le=10_000_000, description="Most values that one bulk decision may be on."
    )
    slice_groups: int = Field(
        50_000, ge=1, le=500_000, description="Most estimated answer rows that are asked in one query."
    )
    owed_days: int = Field(
        30, ge=1, le=1000, description="Days that earlier runs left open and one run asks again, at most."
    )
    max_attempts: int = Field(
        3, ge=1, le=20, description="Questions a source may fail before the slice fails."
    )
    max_losses: int = Field(10, ge=1, le=100, description="Workers a slice may lose before it fails.")
    ask_timeout_seconds: int = Field(600, ge=1, le=3600, description="Longest time one question may take.")
    upload_mb: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Most megabytes that one upload may have, all its files together. A proxy in front must "
        "let pieces of 1 MB through and, for browsers without JavaScript, the whole.",
    )
    upload_hours: float = Field(
        24, gt=0, le=720, description="An upload that nobody goes on with is removed after so many hours."
    )
    store_timeout_seconds: int = Field(
        14_400,
        ge=60,
        le=86_400,
        description="Longest time that a worker may import an upload, remove an import or compact a store.",
    )
    merge_timeout_seconds: int = Field(
        300, ge=10, le=3600, description="Longest time an answer may take to be merged, after the question."
    )
    allow_http_sources: bool = Field(
        False,
        description="Sources and targets may be asked over plain http://. For labs: everybody on the way can "
        "read the answers and the token. No host is checked against FOOTPRINT_TRUSTED_HOSTS then.",
    )
    trusted_hosts: str = Field(
        "",
        description="Hosts beside those of Microsoft's clouds that sources and targets may be asked at, or "
        "that may give out tokens, separated by commas: a proxy's name, or .contoso.com for all below it.",
    )

    second_person_devices: int = Field(
        25,
        ge=1,
        le=1_000_000,
        description="A decision about a value that so many devices talk to needs a second person.",
    )
    second_person_cases: int = Field(
        3, ge=1, le=100_000, description="… and one about a value that so many other cases have."
    )
    second_person_everywhere_blocks: bool = Field(
        False, description="Every block everywhere needs a second person, however rare the value is."
    )
    expiry_warning_days: int = Field(
        7, ge=1, le=365, description="So many days before a decision expires its people are told."
    )
    own_networks: str = Field(
        "",
        description="Our own networks, as in 203.0.113.0/24, separated by commas. "
        "No watchlist publishes them, and a decision about them warns.",
    )
    own_names: str = Field(
        "",
        description="Our own names, as in contoso.com, separated by commas; the names below them are ours "
        "too. No watchlist publishes them, and a decision about them warns.",
    )
    publish_quiet_seconds: float = Field(
        60, ge=0, le=3600, description="A watchlist is published so long after the last decision."
    )
    publish_longest_seconds: float = Field(
        300, ge=0, le=86_400, description="… and at the latest so long after the first one that waits."
    )
    reconcile_minutes: float = Field(
        60,
        ge=1,
        le=1440,
        description="How often a target is looked at for edits by hand. New publications go there at once.",
    )
    feed_requests_per_minute: int = Field(
        120, ge=1, le=100_000, description="Most fetches of one consumer a minute, in each web process."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, FileSource(settings_cls), env_settings

    @field_validator("data_dir", "telemetry_dir", "checkpoint_file")
    @classmethod
    def _whole_path(cls, path: Path) -> Path:
        return Path(os.path.abspath(path.expanduser()))

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        if url is not None:
            database_from_url(url)
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: str | None) -> str | None:
        if url is not None:
            parts = urlsplit(url)
            if parts.scheme not in ("redis", "rediss", "redis+socket"):
                raise ValueError("must begin with redis://, rediss:// or redis+socket://")
            if not (parts.path if parts.scheme == "redis+socket" else parts.hostname):
                raise ValueError("names no host")
        return url

    @field_validator("secret_key")
    @classmethod
    def _is_long(cls, key: str | None) -> str | None:
        if key is not None and (len(key) < SHORTEST_SECRET or len(set(key)) < 10):
            raise ValueError(f"must be random and at least {SHORTEST_SECRET} characters long")
        return key

    @field_validator("ledger_key")
    @classmethod
    def _is_a_key(cls, key: str | None) -> str | None:
        if key is not None:
            try:
                length = len(base64.b64decode(key, validate=True))
            except ValueError:
                length = 0
            if length != 32:
                raise ValueError("must be 32 random bytes in base64")
        return key

    @field_validator("hosts")
    @classmethod
    def _are_plain_hosts(cls, hosts: str) -> str:
        for host in _listed(hosts):
            if "*" in host or "/" in host:
                raise ValueError(f"{host!r} is not a host name; give names without https:// and without *")
        return hosts

    @field_validator("own_networks")
    @classmethod
    def _are_networks(cls, networks: str) -> str:
        for network in _listed(networks):
            ip_network(network)
        return networks

    @field_validator("own_names")
    @classmethod
    def _are_names(cls, names: str) -> str:
        for name in _listed(names):
            if not _OWN_NAME.match(name):
                raise ValueError(f"{name!r} is no name; write it as contoso.com, without https:// and *")
        return names

    @field_validator("trusted_hosts")
    @classmethod
    def _are_hosts(cls, names: str) -> str:
        for name in _listed(names):
            if not _TRUSTED_HOST.fullmatch(name):
                raise ValueError(f"{name!r} is no host; write it as proxy.contoso.com, without https://")
        return names

    @field_validator("heartbeat_seconds")
    @classmethod
    def _beats_twice_a_lease(cls, seconds: float, info: ValidationInfo) -> float:
        lease = info.data.get("lease_seconds")
        if lease is not None and seconds > lease / 2:
            raise ValueError(f"must be at most half of FOOTPRINT_LEASE_SECONDS, which is {lease}")
        return seconds

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fills in what follows from other settings, before the object is frozen."""
        on_servers = bool(values.get("DATABASE_URL"))
        values.setdefault("https", on_servers)
        values.setdefault("log_format", "json" if on_servers else "text")
        data_dir = values.get("FOOTPRINT_DATA", CHECKOUT / "var")
        values.setdefault("telemetry_dir", Path(str(data_dir)) / "telemetry")
        values.setdefault("checkpoint_file", Path(str(data_dir)) / "checkpoints.jsonl")
        return values

    @property
    def on_one_machine(self) -> bool:
        """No database was given: what this machine keeps is all there is."""
        return self.database_url is None

    @property
    def own_ranges(self) -> list[str]:
        return [str(ip_network(network)) for network in _listed(self.own_networks)]

    @property
    def own_domains(self) -> list[str]:
        return [name.lower() for name in _listed(self.own_names)]

    @property
    def trusted_host_names(self) -> list[str]:
        return [name.lower() for name in _listed(self.trusted_hosts)]

    @property
    def allowed_hosts(self) -> list[str]:
        own = ["localhost", "127.0.0.1", "[::1]"] if self.on_one_machine else []
        return _listed(self.hosts) or own


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def database_from_url(url: str) -> dict[str, Any]:
    """The Django database settings that `url` stands for; ValueError says what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("must begin with postgresql://; only PostgreSQL is supported")
    name = unquote(parts.path.lstrip("/"))
    if not name or "/" in name:
        raise ValueError("must end with the name of one database, as in postgresql://user@host/name")
    options: dict[str, Any] = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def variable_of(field_name: str) -> str:
    alias = Configuration.model_fields[field_name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{field_name.upper()}"


def read_configuration(environ: Mapping[str, str] = os.environ) -> Configuration:
    """Reads the process environment; BadConfiguration lists everything that is wrong with it."""
    faults = _unknown_variables(environ) + _missing_variables(environ)
    try:
        configuration = Configuration()
    except ValidationError as error:
        faults += [_fault_line(fault) for fault in error.errors()]
    else:
        if not faults:
            return configuration
    raise BadConfiguration("The environment is not right:\n" + "\n".join(f"  {line}" for line in faults))


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = {variable_of(name) for name in Configuration.model_fields} | FOR_TESTS_ONLY
    known |= {f"{name}_FILE" for name in known}
    faults = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1)
            faults.append(f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
        elif name.endswith("_FILE") and name in known and environ.get(name.removesuffix("_FILE")):
            faults.append(f"{name}: {name.removesuffix('_FILE')} is given too; keep one of them")
    return faults


def _missing_variables(environ: Mapping[str, str]) -> list[str]:
    """What must be given as soon as a database is."""

    def given(name: str) -> bool:
        return bool(environ.get(name) or environ.get(f"{name}_FILE"))

    needs = {
        "SECRET_KEY": "required with DATABASE_URL; make one at random",
        "FOOTPRINT_HOSTS": "required with DATABASE_URL; name the hosts browsers use",
    }
    return [f"{name}: {why}" for name, why in needs.items() if given("DATABASE_URL") and not given(name)]


def _fault_line(fault: Any) -> str:
    location = str(fault["loc"][0]) if fault["loc"] else ""
    name = variable_of(location) if location in Configuration.model_fields else location
    value = fault["input"]
    if isinstance(value, UnreadableFile):
        return f"{name}_FILE: {value}"
    reason = fault["msg"].removeprefix("Value error, ")
    # Secrets and addresses with passwords are never repeated.
    shown = (
        ""
        if name in ("SECRET_KEY", "FOOTPRINT_LEDGER_KEY", "DATABASE_URL", "REDIS_URL")
        else f" (it is {str(value)!r})"
    )
    return f"{name}: {reason}{shown}"


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Footprint reads its settings from the environment. Each can also be given as a file: `NAME_FILE`",
        "holds the path of a file with the value. What cannot be right stops every command with a list",
        "of all faults. `python -m footprint.configuration` makes this page.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    for name, field in Configuration.model_fields.items():
        default = field.default
        if isinstance(default, Path):
            default = default.relative_to(CHECKOUT)
        shown = "" if default in (None, "") else f"`{default}`"
        lines.append(f"| `{variable_of(name)}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(settings_page())
