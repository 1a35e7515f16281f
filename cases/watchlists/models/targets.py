from __future__ import annotations

import secrets
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from cases.models import Decision
from cases.watchlists.models.lists import Watchlist
from cases.watchlists.querysets import ReceiptQuerySet, TargetQuerySet
from cases.watchlists.targets.described import Described


def new_mark() -> str:
    """Tells our items from those of others, and from those of other targets."""
    return f"footprint-{secrets.token_hex(4)}"


class Target(models.Model):
    """Where a watchlist is pushed. Its row says how the reconciliation of it stands.

    `options` are those of cases/watchlists/targets/open.py; `credential` names a way to sign in, never a
    secret. `seen` is the version of the list that was last carried out whole.
    """

    class Kind(models.TextChoices):
        SENTINEL = "sentinel", "Sentinel watchlist"
        DEFENDER = "defender", "Defender indicators"

    class Stand(models.TextChoices):
        WAITING = "waiting", "not reconciled yet"
        SAME = "same", "holds what the list says"
        BEHIND = "behind", "not all of it is there yet"
        TROUBLE = "trouble", "in trouble"
        EMPTIED = "emptied", "emptied"

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    watchlist = models.ForeignKey(Watchlist, on_delete=models.PROTECT, related_name="targets")
    kind = models.CharField(max_length=16, choices=Kind)
    options = models.JSONField(default=dict)
    credential = models.CharField(max_length=150)
    mark = models.CharField(max_length=40, default=new_mark, unique=True)
    takes_allows = models.BooleanField(default=False)
    # From an accepted receipt until the service enforces it.
    grace_minutes = models.PositiveIntegerField(default=120)
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    paused_because = models.TextField(blank=True)
    # Its entries are withdrawn, and then nothing more is done there.
    retired_at = models.DateTimeField(null=True)

    stand = models.CharField(max_length=16, choices=Stand, default=Stand.WAITING)
    seen = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    # Until then nothing is asked, whatever is due: the service wants a pause, or failed.
    not_before = models.DateTimeField(null=True)
    dry_run_asked_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    trouble = models.TextField(blank=True)
    trouble_since = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    # What was counted there last.
    items_ours = models.PositiveIntegerField(null=True)
    items_others = models.PositiveIntegerField(null=True)

    fence = models.PositiveBigIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)

    objects: ClassVar[TargetQuerySet] = TargetQuerySet.as_manager()  # type: ignore[assignment]  # as Publication.objects

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    @property
    def is_emptied(self) -> bool:
        return self.retired_at is not None and self.stand == self.Stand.EMPTIED

    @property
    def grace(self) -> timedelta:
        return timedelta(minutes=self.grace_minutes)

    @property
    def as_described(self) -> Described:
        return Described(
            self.kind, self.options, self.credential, self.mark, self.watchlist.title, self.takes_allows
        )


class Receipt(models.Model):
    """What a target said about one entry. `since` is when it came into its state.

    `content` is the hash of what was accepted, to tell an edit by hand from a change of ours. Where an edit
    by hand was mended, `drift` still says what it was.
    """

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        ACCEPTED = "accepted", "accepted"
        REFUSED = "refused", "refused"
        WITHDRAWN = "withdrawn", "withdrawn"
        DRIFTED = "drifted", "drifted"

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="receipts", db_index=False)
    kind = models.CharField(max_length=8, db_collation="C")
    value = models.TextField(db_collation="C")
    decision_number = models.BigIntegerField()
    key = models.TextField(db_collation="C")
    state = models.CharField(max_length=16, choices=State)
    words = models.TextField(blank=True)
    since = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    # When it was about to be sent, or to be taken away, last: from then on it may be there.
    tried_at = models.DateTimeField(null=True)
    # When the service took it last, whether or not it was seen there since.
    sent_at = models.DateTimeField(null=True)
    remote_id = models.TextField(blank=True)
    content = models.CharField(max_length=64, blank=True)
    drift = models.TextField(blank=True)
    drifted_at = models.DateTimeField(null=True)

    objects: ClassVar[ReceiptQuerySet] = ReceiptQuerySet.as_manager()  # type: ignore[assignment]  # as Publication.objects

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["target", "kind", "value"], name="one_receipt_per_entry"),
        )
        indexes = (
            models.Index(fields=["target", "-id"], name="receipt_newest"),
            models.Index(fields=["target", "state", "-id"], name="receipt_state"),
            models.Index(fields=["target", "key"], name="receipt_key"),
            models.Index(fields=["decision_number"], name="receipt_decision"),
        )

    def __str__(self) -> str:
        return f"{self.value}: {self.state}"

    @property
    def is_there(self) -> bool:
        """As far as we know."""
        return self.accepted_at is not None and self.state != self.State.WITHDRAWN


class Reconciliation(models.Model):
    """One look at a target, and what was done about it. A dry run only looks; `plan` are its first lines."""

    class Ended(models.TextChoices):
        UNDERWAY = "underway", "under way"
        SAME = "same", "holds what the list says"
        BEHIND = "behind", "not all of it is there yet"
        FAILED = "failed", "failed"
        STOPPED = "stopped", "stopped"

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="reconciliations")
    number = models.PositiveIntegerField()
    is_dry_run = models.BooleanField(default=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=16, choices=Ended, default=Ended.UNDERWAY)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    drifted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    left_alone = models.PositiveIntegerField(default=0)
    # Entries beyond what the target can ever take, the oldest ones.
    beyond = models.PositiveIntegerField(default=0)
    said = models.TextField(blank=True)
    plan = models.JSONField(default=list)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.target_id} at version {self.number}"


class Spending(models.Model):
    """How many changes were sent to a place in a month of UTC; reserved before they are sent."""

    place = models.TextField()
    month = models.DateField()
    changes = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["place", "month"], name="one_spending_a_month"),)

    def __str__(self) -> str:
        return f"{self.place} {self.month:%Y-%m}"


class Enforcement(models.Model):
    """When a decision first took effect outside: the earliest accepted receipt with the target's grace, or
    the first fetch of a feed that has it. Kept when it was withdrawn: that is history."""

    decision = models.OneToOneField(
        Decision, primary_key=True, on_delete=models.PROTECT, related_name="enforcement", db_constraint=False
    )
    effective_at = models.DateTimeField()
    # The target or the consumer, by name.
    by = models.TextField()

    class Meta:
        indexes = (models.Index(fields=["effective_at"], name="enforcement_effective"),)

    def __str__(self) -> str:
        return f"{self.decision_id} since {self.effective_at}"
