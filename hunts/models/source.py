from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from hunts.querysets import SourceQuerySet


class Source(models.Model):
    """A configured place to ask. The slug never changes: sightings keep it as text.

    `version` moves with each change of what an adapter is made of. No secret is kept here: `credential`
    names a way to sign in, and the environment of each process holds the rest.
    """

    class Kind(models.TextChoices):
        LOCAL = "local", "imported telemetry"
        LOG_ANALYTICS = "log_analytics", "Log Analytics"
        DEFENDER_XDR = "defender_xdr", "Defender XDR"
        DATA_EXPLORER = "data_explorer", "Data Explorer"

    MOST_AT_ONCE = 50
    MOST_PER_30_SECONDS = 1_000
    MOST_KEEP_DAYS = 12 * 366

    slug = models.SlugField(unique=True, max_length=50)
    kind = models.CharField(max_length=32, choices=Kind)
    title = models.CharField(max_length=100)
    # Texts by name, as hunts.sources.open takes them.
    options = models.JSONField(default=dict, blank=True)
    credential = models.CharField(max_length=120, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="sources"
    )
    # Most questions that all workers together ask at the same time, and in any 30 seconds.
    at_once = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(MOST_AT_ONCE)]
    )
    per_30_seconds = models.PositiveSmallIntegerField(
        default=200, validators=[MinValueValidator(1), MaxValueValidator(MOST_PER_30_SECONDS)]
    )
    # Of a local source: older telemetry is removed. Everything is kept when it is not set.
    keep_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_KEEP_DAYS)]
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    added_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Null when it paused itself, because it refused to answer.
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    paused_because = models.TextField(blank=True, editable=False)
    # The last test and what it found; the test that was last wished for, and why it had to wait.
    probe = models.JSONField(null=True, blank=True, editable=False)
    probed_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_waited = models.TextField(blank=True, default="", editable=False)

    objects: ClassVar[SourceQuerySet] = SourceQuerySet.as_manager()  # type: ignore[assignment]  # as Run.objects

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title

    @property
    def is_local(self) -> bool:
        return self.kind == self.Kind.LOCAL

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None
