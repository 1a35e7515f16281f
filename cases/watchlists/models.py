from __future__ import annotations

from django.db import models


class Watchlist(models.Model):
    """A rule, not a hand-kept list: every decision in force, everywhere, with this verdict."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    about = models.TextField(blank=True)
    verdict = models.CharField(max_length=16, choices=[("allowed", "allowed"), ("blocked", "blocked")])

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title
