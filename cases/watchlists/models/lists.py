from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from cases.models import Case, Decision
from cases.watchlists.querysets import PublicationQuerySet


def every_kind() -> list[str]:
    return ["name", "below", "address", "network", "text"]


def everywhere() -> list[str]:
    return ["everywhere"]


class Watchlist(models.Model):
    """A rule, not a hand-kept list: the decisions in force with this verdict, these kinds and scopes.

    Decisions of scope case and file count when they are of one of the named `cases`. What was decided up to
    `as_of` is in the newest publication or changed nothing.
    """

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    about = models.TextField(blank=True)
    verdict = models.CharField(max_length=16, choices=[("allowed", "allowed"), ("blocked", "blocked")])
    subject_kinds = ArrayField(
        models.CharField(max_length=8, choices=Decision.SubjectKind), default=every_kind
    )
    scopes = ArrayField(models.CharField(max_length=16, choices=Decision.Scope), default=everywhere)
    cases = models.ManyToManyField(Case, related_name="watchlists")
    # Of a day in UTC; with none it is published soon after each decision.
    publish_at = ArrayField(models.TimeField(), default=list, blank=True)
    as_of = models.DateTimeField(null=True)
    rule_changed_at = models.DateTimeField(null=True)
    rule_changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    paused_why = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title


class Publication(models.Model):
    """One version of a watchlist, never changed once published. Only a published one has a number."""

    class State(models.TextChoices):
        PUBLISHED = "published", "published"
        HELD = "held", "held for a second person"
        REFUSED = "refused", "not published"

    watchlist = models.ForeignKey(Watchlist, on_delete=models.PROTECT, related_name="publications")
    number = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=16, choices=State)
    why = models.TextField()
    # What a second person should look at.
    held_because = models.TextField(blank=True)
    # Of the list, as it was called then.
    title = models.CharField(max_length=100, blank=True)
    about = models.TextField(blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    rolled_back_to = models.PositiveIntegerField(null=True)
    entries = models.PositiveIntegerField()
    added = models.PositiveIntegerField()
    removed = models.PositiveIntegerField()
    # SHA-256 over the SHA-256 of each entry's line, in the order of kind and value.
    sha256 = models.CharField(max_length=64)

    objects: ClassVar[PublicationQuerySet] = PublicationQuerySet.as_manager()  # type: ignore[assignment]  # a manager with its methods

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["watchlist", "number"], name="one_publication_per_number"),
            models.UniqueConstraint(
                fields=["watchlist"], condition=Q(state="held"), name="one_publication_held"
            ),
            models.CheckConstraint(
                condition=Q(state="published", number__isnull=False)
                | Q(Q(number__isnull=True) & ~Q(state="published")),
                name="publication_number_when_published",
            ),
        )

    def __str__(self) -> str:
        return f"{self.watchlist_id} version {self.number}"


class PublishedEntry(models.Model):
    """An entry with the publications that have it: from `added_in` up to, but without, `removed_in`.

    So a version costs what it changed, and no version that was published can change. The decision is
    copied: what a version said must not depend on what became of it.
    """

    watchlist = models.ForeignKey(
        Watchlist, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=8, db_collation="C")
    value = models.TextField(db_collation="C")
    verdict = models.CharField(max_length=16)
    reason = models.TextField()
    decided_by = models.TextField()
    decided_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    case_number = models.BigIntegerField(null=True)
    decision_number = models.BigIntegerField()
    may_widen = models.BooleanField()
    added_in = models.PositiveIntegerField()
    removed_in = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["watchlist", "kind", "value"],
                condition=Q(removed_in__isnull=True),
                name="one_entry_per_subject",
            ),
        )
        indexes = (
            models.Index(fields=["watchlist", "added_in"], name="entry_added"),
            models.Index(
                fields=["watchlist", "removed_in"],
                condition=Q(removed_in__isnull=False),
                name="entry_removed",
            ),
            # Which versions had a decision, for when it took effect.
            models.Index(fields=["decision_number"], name="entry_decision"),
        )

    def __str__(self) -> str:
        return self.value


class Conflict(models.Model):
    """What a person should settle about the newest publication; `left_out` when the entry was held back."""

    watchlist = models.ForeignKey(Watchlist, on_delete=models.CASCADE, related_name="conflicts")
    kind = models.CharField(max_length=8)
    value = models.TextField(db_collation="C")
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    against = models.ForeignKey(
        Decision, null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    left_out = models.BooleanField()
    why = models.TextField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.value}: {self.why}"


class Publishing(models.Model):
    """The one switch that pauses all publishing."""

    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    why = models.TextField(blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="one_publishing_switch"),)

    def __str__(self) -> str:
        return "paused" if self.paused_at else "running"
