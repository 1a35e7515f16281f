"""The closed vocabulary of the ledger: room:subject:what happened. Retired events stay here as comments."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    PERSON_ADDED = "accounts:person:added"
    PERSON_SIGNED_IN = "accounts:person:signed_in"
    PERSON_SIGNED_OUT = "accounts:person:signed_out"
    PERSON_LOCKED_OUT = "accounts:person:locked_out"
    ADDRESS_LOCKED_OUT = "accounts:address:locked_out"
    PERSON_UNLOCKED = "accounts:person:unlocked"
    PERSON_DEACTIVATED = "accounts:person:deactivated"
    PERSON_REACTIVATED = "accounts:person:reactivated"
    ROLE_CHANGED = "accounts:role:changed"
    PASSWORD_GIVEN = "accounts:password:given"  # noqa: S105  # the name of an event
    PASSWORD_CHOSEN = "accounts:password:chosen"  # noqa: S105  # as above

    LEDGER_EXPORTED = "ledger:ledger:exported"
    VERIFICATION_ASKED = "ledger:verification:asked"
    VERIFICATION_FINISHED = "ledger:verification:finished"
    KEY_ROTATED = "ledger:key:rotated"

    CASE_OPENED = "cases:case:opened"
    CASE_CHANGED = "cases:case:changed"
    CASE_ASSIGNED = "cases:case:assigned"
    CASE_WATCHED = "cases:case:watched"
    CASE_CLOSED = "cases:case:closed"
    CASE_REOPENED = "cases:case:reopened"
    REPORT_DOWNLOADED = "cases:report:downloaded"
    NOTE_ADDED = "cases:note:added"
    NOTE_CHANGED = "cases:note:changed"
    NOTE_REMOVED = "cases:note:removed"
    DECISION_PROPOSED = "cases:decision:proposed"
    DECISION_REJECTED = "cases:decision:rejected"
    DECISION_TAKEN_BACK = "cases:decision:taken_back"
    DECISION_MADE = "cases:decision:made"
    DECISION_SUPERSEDED = "cases:decision:superseded"
    DECISION_WITHDRAWN = "cases:decision:withdrawn"
    DECISION_EXPIRED = "cases:decision:expired"
    REVIEW_CONFIRMED = "cases:review:confirmed"
    INTAKE_READ = "cases:intake:read"
    INTAKE_CONFIRMED = "cases:intake:confirmed"
    INTAKE_LANDED = "cases:intake:landed"
    INTAKE_STOPPED = "cases:intake:stopped"
    INTAKE_DROPPED = "cases:intake:dropped"
    KNOWN_LISTS_LOADED = "cases:known_lists:loaded"
    KNOWN_LIST_SWITCHED = "cases:known_list:switched"
    KNOWN_LIST_REMOVED = "cases:known_list:removed"
    BATCH_CONFIRMED = "cases:batch:confirmed"
    BATCH_FINISHED = "cases:batch:finished"
    BATCH_FAILED = "cases:batch:failed"
    BATCH_STOPPED = "cases:batch:stopped"
    BATCH_RESUMED = "cases:batch:resumed"
    BATCH_UNDO_ASKED = "cases:batch:undo_asked"
    BATCH_APPROVAL_ASKED = "cases:batch:approval_asked"
    BATCH_REJECTION_ASKED = "cases:batch:rejection_asked"
    BATCH_PROPOSALS_RENEWED = "cases:batch:proposals_renewed"
    WITHDRAWAL_PROPOSED = "cases:withdrawal:proposed"
    WITHDRAWAL_REJECTED = "cases:withdrawal:rejected"
    WITHDRAWAL_TAKEN_BACK = "cases:withdrawal:taken_back"
    WITHDRAWAL_OVERTAKEN = "cases:withdrawal:overtaken"
    WATCHLIST_DOWNLOADED = "watchlists:watchlist:downloaded"
    WATCHLIST_ADDED = "watchlists:watchlist:added"
    WATCHLIST_CHANGED = "watchlists:watchlist:changed"
    WATCHLIST_PAUSED = "watchlists:watchlist:paused"
    WATCHLIST_RESUMED = "watchlists:watchlist:resumed"
    PUBLICATION_MADE = "watchlists:publication:made"
    PUBLICATION_HELD = "watchlists:publication:held"
    PUBLICATION_REFUSED = "watchlists:publication:refused"
    PUBLISHING_PAUSED = "watchlists:publishing:paused"
    PUBLISHING_RESUMED = "watchlists:publishing:resumed"
    CONSUMER_ADDED = "watchlists:consumer:added"
    CONSUMER_REVOKED = "watchlists:consumer:revoked"
    TARGET_ADDED = "watchlists:target:added"
    TARGET_CHANGED = "watchlists:target:changed"
    TARGET_PAUSED = "watchlists:target:paused"
    TARGET_RESUMED = "watchlists:target:resumed"
    TARGET_RETIRED = "watchlists:target:retired"
    TARGET_RECONCILED = "watchlists:target:reconciled"
    TARGET_FAILED = "watchlists:target:failed"
    FEED_FETCHED = "watchlists:feed:fetched"
    FEED_TOKEN_MADE = "watchlists:consumer:token_made"  # noqa: S105  # the name of an event

    SOURCE_ADDED = "hunts:source:added"
    SOURCE_CHANGED = "hunts:source:changed"
    SOURCE_PAUSED = "hunts:source:paused"
    SOURCE_RESUMED = "hunts:source:resumed"
    SOURCE_TESTED = "hunts:source:tested"
    TELEMETRY_IMPORTED = "hunts:telemetry:imported"
    UPLOAD_FAILED = "hunts:upload:failed"
    REMOVAL_ASKED = "hunts:removal:asked"
    REMOVAL_FAILED = "hunts:removal:failed"
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
    RUN_RETRIED = "hunts:run:retried"
    FOUND_NOTHING = "hunts:run:found_nothing"


# What a reader of the ledger page sees: "Rui blocked …", so each phrase follows a name.
PHRASES: dict[Event, str] = {
    Event.PERSON_ADDED: "added the person",
    Event.PERSON_SIGNED_IN: "signed in",
    Event.PERSON_SIGNED_OUT: "signed out",
    Event.PERSON_LOCKED_OUT: "locked out",
    Event.ADDRESS_LOCKED_OUT: "locked out the address",
    Event.PERSON_UNLOCKED: "unlocked",
    Event.PERSON_DEACTIVATED: "deactivated",
    Event.PERSON_REACTIVATED: "reactivated",
    Event.ROLE_CHANGED: "changed the role of",
    Event.PASSWORD_GIVEN: "gave a new password to",
    Event.PASSWORD_CHOSEN: "chose a password for",
    Event.LEDGER_EXPORTED: "exported",
    Event.VERIFICATION_ASKED: "asked to verify the ledger",
    Event.VERIFICATION_FINISHED: "verified the ledger",
    Event.KEY_ROTATED: "changed the key that signs",
    Event.CASE_OPENED: "opened the case",
    Event.CASE_CHANGED: "changed the case",
    Event.CASE_ASSIGNED: "assigned the case",
    Event.CASE_WATCHED: "set to watching the case",
    Event.CASE_CLOSED: "closed the case",
    Event.CASE_REOPENED: "reopened the case",
    Event.REPORT_DOWNLOADED: "downloaded the report of",
    Event.NOTE_ADDED: "wrote",
    Event.NOTE_CHANGED: "changed",
    Event.NOTE_REMOVED: "removed",
    Event.DECISION_PROPOSED: "proposed",
    Event.DECISION_REJECTED: "rejected the proposed",
    Event.DECISION_TAKEN_BACK: "took back the proposed",
    Event.DECISION_MADE: "decided",
    Event.DECISION_SUPERSEDED: "superseded a decision",
    Event.DECISION_WITHDRAWN: "withdrew a decision",
    Event.DECISION_EXPIRED: "expired a decision",
    Event.REVIEW_CONFIRMED: "confirmed what was due for review of",
    Event.INTAKE_READ: "read in the list",
    Event.INTAKE_CONFIRMED: "began to import",
    Event.INTAKE_LANDED: "imported",
    Event.INTAKE_STOPPED: "stopped importing",
    Event.INTAKE_DROPPED: "dropped the list",
    Event.KNOWN_LISTS_LOADED: "loaded",
    Event.KNOWN_LIST_SWITCHED: "switched the known list",
    Event.KNOWN_LIST_REMOVED: "removed the known list",
    Event.BATCH_CONFIRMED: "decided in bulk",
    Event.BATCH_FINISHED: "finished in bulk",
    Event.BATCH_FAILED: "could not finish in bulk",
    Event.BATCH_STOPPED: "stopped in bulk",
    Event.BATCH_RESUMED: "went on in bulk",
    Event.BATCH_UNDO_ASKED: "began to undo in bulk",
    Event.BATCH_APPROVAL_ASKED: "began to approve in bulk",
    Event.BATCH_REJECTION_ASKED: "began to reject in bulk",
    Event.BATCH_PROPOSALS_RENEWED: "judged what waits anew, after a step of its own, in bulk",
    Event.WITHDRAWAL_PROPOSED: "proposed to withdraw",
    Event.WITHDRAWAL_REJECTED: "kept in force, against a proposal,",
    Event.WITHDRAWAL_TAKEN_BACK: "took back the proposal to withdraw",
    Event.WITHDRAWAL_OVERTAKEN: "overtook the proposal to withdraw",
    Event.WATCHLIST_DOWNLOADED: "downloaded",
    Event.WATCHLIST_ADDED: "added the watchlist",
    Event.WATCHLIST_CHANGED: "changed the rule of",
    Event.WATCHLIST_PAUSED: "paused",
    Event.WATCHLIST_RESUMED: "resumed",
    Event.PUBLICATION_MADE: "published",
    Event.PUBLICATION_HELD: "held a publication of",
    Event.PUBLICATION_REFUSED: "refused a publication of",
    Event.PUBLISHING_PAUSED: "paused",
    Event.PUBLISHING_RESUMED: "resumed",
    Event.CONSUMER_ADDED: "added the feed consumer",
    Event.CONSUMER_REVOKED: "revoked the feed consumer",
    Event.TARGET_ADDED: "added the target",
    Event.TARGET_CHANGED: "changed the target",
    Event.TARGET_PAUSED: "paused the target",
    Event.TARGET_RESUMED: "resumed the target",
    Event.TARGET_RETIRED: "retired the target",
    Event.TARGET_RECONCILED: "reconciled",
    Event.TARGET_FAILED: "could not reconcile",
    Event.FEED_FETCHED: "fetched first a version of the feed",
    Event.FEED_TOKEN_MADE: "made a token for",
    Event.SOURCE_ADDED: "added the source",
    Event.SOURCE_CHANGED: "changed the source",
    Event.SOURCE_PAUSED: "paused the source",
    Event.SOURCE_RESUMED: "resumed the source",
    Event.SOURCE_TESTED: "tested the source",
    Event.TELEMETRY_IMPORTED: "imported telemetry into",
    Event.UPLOAD_FAILED: "could not import what was uploaded to",
    Event.REMOVAL_ASKED: "asked to remove an import from",
    Event.REMOVAL_FAILED: "could not remove an import from",
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
    Event.RUN_RETRIED: "asked again what failed of",
    Event.FOUND_NOTHING: "found nothing",
}
