"""Reasons that people give again and again, to begin from."""

from __future__ import annotations

TEMPLATES = {
    "allowed": (
        "Update service of the vendor",
        "Content network of a service that we use",
        "Our own service",
        "Telemetry of the product, accepted",
    ),
    "blocked": (
        "Command channel of malicious software",
        "No need for this file to talk to it",
        "Hoster that answers no reports of abuse",
        "Advertising or tracking",
    ),
}
