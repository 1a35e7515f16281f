"""The closed vocabulary of the ledger: room:subject:what happened. Retired events stay here as comments."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    PERSON_ADDED = "accounts:person:added"
    PERSON_SIGNED_IN = "accounts:person:signed_in"
    PERSON_SIGNED_OUT = "accounts:person:signed_out"

    CASE_OPENED = "cases:case:opened"
    DECISION_MADE = "cases:decision:made"
    DECISION_SUPERSEDED = "cases:decision:superseded"
    DECISION_WITHDRAWN = "cases:decision:withdrawn"
    DECISION_EXPIRED = "cases:decision:expired"
    WATCHLIST_DOWNLOADED = "watchlists:watchlist:downloaded"

    SOURCE_ADDED = "hunts:source:added"
    SOURCE_CHANGED = "hunts:source:changed"
    SOURCE_PAUSED = "hunts:source:paused"
    SOURCE_RESUMED = "hunts:source:resumed"
    SOURCE_TESTED = "hunts:source:tested"
    TELEMETRY_IMPORTED = "hunts:telemetry:imported"
    UPLOAD_FAILED = "hunts:upload:failed"
    IMPORT_REMOVED = "hunts:import:removed"
    RETENTION_APPLIED = "hunts:retention:applied"
    TELEMETRY_COMPACTED = "hunts:telemetry:compacted"
    HUNT_OPENED = "hunts:hunt:opened"
    HUNT_SCHEDULED = "hunts:hunt:scheduled"
    HUNT_CHANGED = "hunts:hunt:changed"
    HUNT_PAUSED = "hunts:hunt:paused"
    HUNT_RESUMED = "hunts:hunt:resumed"
    LOOK_UP_ASKED = "hunts:look_up:asked"
    RUN_OPENED = "hunts:run:opened"
    RUN_FINISHED = "hunts:run:finished"
    RUN_CANCELLED = "hunts:run:cancelled"
    FOUND_NOTHING = "hunts:run:found_nothing"


# What a reader of the ledger page sees: "Rui blocked …", so each phrase follows a name.
PHRASES: dict[Event, str] = {
    Event.PERSON_ADDED: "added the person",
    Event.PERSON_SIGNED_IN: "signed in",
    Event.PERSON_SIGNED_OUT: "signed out",
    Event.CASE_OPENED: "opened the case",
    Event.DECISION_MADE: "decided",
    Event.DECISION_SUPERSEDED: "superseded a decision",
    Event.DECISION_WITHDRAWN: "withdrew a decision",
    Event.DECISION_EXPIRED: "expired a decision",
    Event.WATCHLIST_DOWNLOADED: "downloaded",
    Event.SOURCE_ADDED: "added the source",
    Event.SOURCE_CHANGED: "changed the source",
    Event.SOURCE_PAUSED: "paused the source",
    Event.SOURCE_RESUMED: "resumed the source",
    Event.SOURCE_TESTED: "tested the source",
    Event.TELEMETRY_IMPORTED: "imported telemetry into",
    Event.UPLOAD_FAILED: "could not import what was uploaded to",
    Event.IMPORT_REMOVED: "removed an import from",
    Event.RETENTION_APPLIED: "removed old telemetry from",
    Event.TELEMETRY_COMPACTED: "compacted the telemetry of",
    Event.HUNT_OPENED: "opened a hunt",
    Event.HUNT_SCHEDULED: "scheduled",
    Event.HUNT_CHANGED: "changed the schedule of",
    Event.HUNT_PAUSED: "paused",
    Event.HUNT_RESUMED: "resumed",
    Event.LOOK_UP_ASKED: "asked",
    Event.RUN_OPENED: "opened",
    Event.RUN_FINISHED: "finished",
    Event.RUN_CANCELLED: "cancelled",
    Event.FOUND_NOTHING: "found nothing",
}
