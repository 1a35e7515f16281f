from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.db import models

from footprint.ledger.events import PHRASES

_PHRASES: dict[str, str] = {event.value: phrase for event, phrase in PHRASES.items()}


class Entry(models.Model):
    """One line of the ledger. Triggers refuse every UPDATE, DELETE and TRUNCATE (migration 0001).

    The columns beside `text` repeat parts of it for searching; `text` and `hash` are the proof.
    No foreign keys: an entry outlives whatever it speaks of.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=200)
    event = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.TextField()
    subject_name = models.TextField()
    case_number = models.BigIntegerField(null=True)
    reason = models.TextField()
    request_id = models.CharField(max_length=64)
    text = models.TextField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        ordering = ("-seq",)
        verbose_name_plural = "entries"
        indexes = (
            models.Index(fields=["case_number", "-seq"], name="entry_case"),
            models.Index(fields=["subject_kind", "subject_id", "-seq"], name="entry_subject"),
            models.Index(fields=["actor_kind", "actor_id", "-seq"], name="entry_actor"),
            models.Index(fields=["event", "-seq"], name="entry_event"),
            models.Index(fields=["at"], name="entry_at"),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"

    @property
    def content(self) -> dict[str, Any]:
        """The whole entry as it was hashed: also `before`, `after` and `address`."""
        content: dict[str, Any] = json.loads(self.text)
        return content

    @property
    def phrase(self) -> str:
        return _PHRASES.get(self.event, self.event)

    @property
    def short_hash(self) -> str:
        return bytes(self.hash).hex()[:8]


class Head(models.Model):
    """The one row that holds the end of the chain; whoever appends locks it first."""

    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(pk=1), name="one_head"),)

    def __str__(self) -> str:
        return f"head at {self.seq}"


class Checkpoint(models.Model):
    """A signed head of the ledger. As entries these are only added (migration 0002).

    Each also stands in the checkpoint file, outside the database: that one proves this table.
    """

    seq = models.BigIntegerField()
    at = models.DateTimeField()
    key = models.CharField(max_length=64)
    text = models.TextField()
    signature = models.BinaryField(max_length=64)

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=["seq"], name="checkpoint_seq"),)

    def __str__(self) -> str:
        return f"checkpoint at {self.seq}"


class Verification(models.Model):
    """One asking on the page whether the ledger holds, and what came of it."""

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    moved_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    total = models.BigIntegerField(default=0)
    checked = models.BigIntegerField(default=0)
    # Empty while it goes on and when the ledger holds.
    fault = models.TextField(default="")
    # Without it a fault is why the ledger could not be verified, not that it is broken.
    fault_seq = models.BigIntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    said = models.TextField(default="")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"verification {self.pk}"

    @property
    def percent(self) -> int:
        return 100 if self.ended_at else min(99, self.checked * 100 // self.total) if self.total else 0

    @property
    def outcome(self) -> str:
        if self.fault_seq is not None:
            return f"Entry {self.fault_seq}: {self.fault}."
        return self.fault or self.said

    @property
    def version(self) -> str:
        return f"{self.pk}-{self.attempts}-{self.checked}-{'ended' if self.ended_at else 'underway'}"
