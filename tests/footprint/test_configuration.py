from __future__ import annotations

import stat
from base64 import b64encode
from pathlib import Path

import pytest

from footprint.configuration import (
    CHECKOUT,
    BadConfiguration,
    Configuration,
    database_from_url,
    read_configuration,
    settings_page,
)
from footprint.secret import kept_secret
from tests.house import Processes

SECRET = "correct-horse-battery-staple-0123456789-abcdefghijklmnop"
SERVER = {
    "DATABASE_URL": "postgresql://user:p%40ss@db.example:5433/footprint?sslmode=require",
    "SECRET_KEY": SECRET,
    "FOOTPRINT_HOSTS": "footprint.example.com",
}


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> Configuration:
    for name in ("REDIS_URL", "FOOTPRINT_DATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return read_configuration()


def faults(monkeypatch: pytest.MonkeyPatch, **given: str) -> str:
    with pytest.raises(BadConfiguration) as caught:
        read(monkeypatch, **given)
    return str(caught.value)


def test_nothing_needs_to_be_set_on_one_machine(monkeypatch):
    house = read(monkeypatch)
    assert house.on_one_machine
    assert house.data_dir == CHECKOUT / "var"
    assert house.telemetry_dir == CHECKOUT / "var" / "telemetry"
    assert house.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert (house.https, house.log_format) == (False, "text")


def test_a_database_makes_it_a_server(monkeypatch):
    house = read(monkeypatch, **SERVER)
    assert not house.on_one_machine
    assert house.allowed_hosts == ["footprint.example.com"]
    assert (house.https, house.log_format) == (True, "json")


def test_telemetry_follows_the_data_directory(monkeypatch, tmp_path):
    assert read(monkeypatch, FOOTPRINT_DATA=str(tmp_path)).telemetry_dir == tmp_path / "telemetry"


def test_every_fault_is_named_at_once(monkeypatch):
    text = faults(
        monkeypatch,
        DATABASE_URL="mysql://db.example/footprint",
        REDIS_URL="amqp://queue.example",
        FOOTPRINT_LEASE_SECONDS="soon",
        FOOTPRINT_SLICE_GROUPS="0",
        FOOTPRINT_HOSTS="*",
    )
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "LEASE_SECONDS", "SLICE_GROUPS", "HOSTS"):
        assert name in text


def test_a_misspelt_setting_is_refused_with_the_right_name(monkeypatch):
    assert "did you mean FOOTPRINT_LEASE_SECONDS?" in faults(monkeypatch, FOOTPRINT_LEESE_SECONDS="90")


def test_a_heartbeat_slower_than_half_a_lease_is_refused(monkeypatch):
    assert "FOOTPRINT_HEARTBEAT_SECONDS" in faults(
        monkeypatch, FOOTPRINT_LEASE_SECONDS="30", FOOTPRINT_HEARTBEAT_SECONDS="16"
    )


@pytest.mark.parametrize("key", ["short", "a" * 64])
def test_a_weak_key_is_refused_and_not_repeated(monkeypatch, key):
    text = faults(monkeypatch, **SERVER | {"SECRET_KEY": key})
    assert "SECRET_KEY" in text
    assert key not in text


def test_a_password_in_a_bad_address_is_not_repeated(monkeypatch):
    assert "hunter2" not in faults(monkeypatch, **SERVER | {"DATABASE_URL": "mysql://me:hunter2@db/x"})


def test_no_password_is_in_what_the_object_shows(monkeypatch):
    shown = repr(read(monkeypatch, **SERVER))
    assert "p%40ss" not in shown
    assert SECRET not in shown


def test_a_value_can_come_from_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "key"
    secret.write_text(SECRET + "\n")
    given = {name: value for name, value in SERVER.items() if name != "SECRET_KEY"}
    assert read(monkeypatch, **given, SECRET_KEY_FILE=str(secret)).secret_key == SECRET


def test_a_file_that_is_missing_is_named(monkeypatch):
    assert "SECRET_KEY_FILE: the file /nowhere/key cannot be read" in faults(
        monkeypatch, SECRET_KEY_FILE="/nowhere/key"
    )


def test_a_value_and_its_file_together_are_refused(monkeypatch, tmp_path):
    assert "keep one of them" in faults(monkeypatch, **SERVER, SECRET_KEY_FILE=str(tmp_path / "key"))


def test_an_address_is_taken_apart():
    database = database_from_url(SERVER["DATABASE_URL"])
    assert database["HOST"] == "db.example"
    assert database["PORT"] == "5433"
    assert database["PASSWORD"] == "p@ss"
    assert database["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize(
    "url", ["postgresql://db.example", "postgresql://db/a/b", "sqlite:///x", "db.example/x"]
)
def test_an_address_of_no_postgresql_database_is_refused(url):
    with pytest.raises(ValueError, match="must"):
        database_from_url(url)


def test_the_page_of_settings_is_up_to_date():
    assert (CHECKOUT / "docs" / "settings.md").read_text() == settings_page()


def test_the_key_of_a_machine_is_made_once_for_its_owner_only(tmp_path: Path):
    key = kept_secret(tmp_path / "data")
    assert len(key) >= 64
    assert kept_secret(tmp_path / "data") == key
    assert stat.S_IMODE((tmp_path / "data" / "secret-key").stat().st_mode) == 0o600


def test_a_server_deploys_without_a_warning(processes: Processes, stylesheet: None):
    check = processes.start(
        *("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        environment=SERVER | PATHS | {"FOOTPRINT_LEDGER_KEY": b64encode(bytes(range(32))).decode()},
    )
    assert check.process.wait(60) == 0, check.said()


def test_a_bad_environment_stops_a_command_without_a_traceback(processes: Processes):
    check = processes.start("manage.py", "check", environment=PATHS | {"FOOTPRINT_LEASE_SECONDS": "soon"})
    assert check.process.wait(60) == 1
    assert check.said().startswith("The environment is not right:\n  FOOTPRINT_LEASE_SECONDS: ")
    assert "Traceback" not in check.said()


PATHS = {"PATH": "/usr/bin:/bin", "REDIS_URL": "redis://queue.example"}


@pytest.mark.parametrize("names", ["https://contoso.com", "*.contoso.com", "contoso..com", "two words"])
def test_our_own_names_are_plain_names(monkeypatch, names):
    assert "OWN_NAMES" in faults(monkeypatch, FOOTPRINT_OWN_NAMES=names)


@pytest.mark.parametrize("names", ["https://proxy.contoso.com", "*.contoso.com", "..com", "a/b", "two words"])
def test_trusted_hosts_are_plain_names(monkeypatch, names):
    assert "TRUSTED_HOSTS" in faults(monkeypatch, FOOTPRINT_TRUSTED_HOSTS=names)


def test_trusted_hosts_are_a_list(monkeypatch):
    house = read(monkeypatch, FOOTPRINT_TRUSTED_HOSTS="Proxy.contoso.com, .corp.example")
    assert house.trusted_host_names == ["proxy.contoso.com", ".corp.example"]


def test_our_own_names_and_networks_are_lists(monkeypatch):
    house = read(
        monkeypatch, FOOTPRINT_OWN_NAMES="Contoso.com, corp.example", FOOTPRINT_OWN_NETWORKS="10.0.0.0/8"
    )
    assert (house.own_domains, house.own_ranges) == (["contoso.com", "corp.example"], ["10.0.0.0/8"])
