"""Sources that ask a lab."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from footprint.ledger.record import Actor
from hunts.models import Source
from hunts.source_actions import add_source
from tests.lab.__main__ import WORKSPACE
from tests.lab.server import Lab


def source_at(lab: Lab, kind: str = "log_analytics", **fields: Any) -> Source:
    options = {**_options_of(lab, kind), "endpoint": lab.url, **fields.pop("options", {})}
    fields.setdefault("credential", "token:LAB_TOKEN")
    return add_source(
        actor=Actor.command("tests"), slug=f"lab-{uuid4().hex[:10]}", kind=kind, options=options, **fields
    )


def _options_of(lab: Lab, kind: str) -> dict[str, str]:
    match kind:
        case "log_analytics":
            return {"workspace": WORKSPACE}
        case "data_explorer":
            return {"database": lab.kusto.database}
        case _:
            return {}
