"""The same over TLS, as it is everywhere but in a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from hunts.sources.errors import TimedOut, Unavailable
from hunts.sources.remote import RemoteAdapter
from tests.hunts.sources.certificates import own_certificate
from tests.hunts.sources.conftest import OpenLab
from tests.hunts.sources.remote import EVENTS, KINDS, ask, at_noon, open_kind, rows_of
from tests.hunts.sources.test_deadlines import wait_for
from tests.lab.faults import Kind
from tests.lab.server import Lab


@pytest.fixture
def lab(open_lab: OpenLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    path = tmp_path / "lab.pem"
    path.write_bytes(own_certificate())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return open_lab(EVENTS, clock=at_noon, certificate=path)


def trusting(kind: str, lab: Lab, tmp_path: Path) -> RemoteAdapter:
    return open_kind(kind, lab, environment={"REQUESTS_CA_BUNDLE": str(tmp_path / "lab.pem")})


@pytest.mark.parametrize("kind", KINDS)
def test_an_authority_of_one_s_own_can_be_trusted(lab: Lab, tmp_path: Path, kind: str) -> None:
    assert lab.url.startswith("https://")
    adapter = trusting(kind, lab, tmp_path)
    assert len(rows_of(ask(adapter))) == len(EVENTS)
    assert adapter.probe().passed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [Kind.HANG, Kind.DRIP])
def test_a_deadline_ends_an_encrypted_answer(lab: Lab, tmp_path: Path, kind: str, fault: Kind) -> None:
    lab.fault(fault)
    with pytest.raises(TimedOut):
        ask(trusting(kind, lab, tmp_path), timeout=0.7)
    wait_for(lambda: lab.counts.under_way == 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stranger_s_certificate_is_not_believed(
    lab: Lab, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Unavailable, match="cannot be reached") as caught:
        ask(open_kind(kind, lab))
    assert "certificate" in caught.value.said.lower()
    assert lab.counts.questions == 0
