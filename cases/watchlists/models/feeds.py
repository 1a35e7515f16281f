from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.watchlists.models.lists import Watchlist


class Consumer(models.Model):
    """Whoever fetches a feed: one list in one format, by a name that people know."""

    name = models.CharField(max_length=100)
    watchlist = models.ForeignKey(Watchlist, on_delete=models.PROTECT, related_name="consumers")
    format = models.SlugField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    fetched_from = models.CharField(max_length=64, blank=True)
    # The publication it fetched last.
    holds = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=["name"], condition=Q(revoked_at__isnull=True), name="one_consumer"
            ),
        )

    def __str__(self) -> str:
        return self.name


class FeedToken(models.Model):
    """Only the hash of a token is kept; `ending` are its last letters, to tell tokens apart."""

    consumer = models.ForeignKey(Consumer, on_delete=models.PROTECT, related_name="tokens")
    hash = models.CharField(max_length=64, unique=True)
    ending = models.CharField(max_length=4)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"…{self.ending}"


class Fetch(models.Model):
    """When a consumer first fetched a publication: from then on it is in force there."""

    consumer = models.ForeignKey(Consumer, on_delete=models.PROTECT, related_name="fetches")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    # With what and from where; none of fetches that were noted before these were kept.
    token = models.ForeignKey(FeedToken, null=True, on_delete=models.PROTECT, related_name="+")
    address = models.CharField(max_length=64, blank=True)
    # Whether what it has is noted as enforced, and the fetch in the ledger.
    is_counted = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["consumer", "number"], name="one_first_fetch"),)
        indexes = (models.Index(fields=["at"], condition=Q(is_counted=False), name="fetch_uncounted"),)

    def __str__(self) -> str:
        return f"{self.consumer_id} has {self.number}"
