"""The container files are not run by these tests; this much can be seen by reading them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from footprint.configuration import CHECKOUT, Configuration, variable_of
from footprint.probe import PROBES

COMPOSE = yaml.safe_load((CHECKOUT / "docker" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["migrate", "web", "worker", "store-worker", "beat"]


def test_all_kinds_of_processes_are_there():
    assert set(SERVICES) == {*OURS, "postgres", "valkey"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_may_do_nothing_it_need_not(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(PROBES))
def test_a_service_is_probed_for_what_it_is(name):
    assert SERVICES[name]["healthcheck"]["test"][-2:] == ["footprint.probe", name]


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_server_is_probed_and_not_reachable_from_outside(name):
    assert SERVICES[name]["healthcheck"]
    assert SERVICES[name]["networks"] == ["inside"]
    assert "ports" not in SERVICES[name]


def test_the_site_is_published_on_this_host_only():
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_only_settings_that_exist_are_given():
    known = {variable_of(name) for name in Configuration.model_fields}
    given = {name.removesuffix("_FILE") for name in SERVICES["web"]["environment"]}
    assert given <= known


def test_the_image_runs_as_a_number_that_is_not_root():
    lines = (CHECKOUT / "docker" / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER 10001:10001" in last_stage
