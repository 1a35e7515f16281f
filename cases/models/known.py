from __future__ import annotations

from django.contrib.postgres.indexes import SpGistIndex
from django.db import models
from django.db.models import F, Func, Q
from netfields import CidrAddressField


class KnownList(models.Model):
    """A list of names or addresses that others have collected. It makes people think; it decides nothing."""

    class Category(models.TextChoices):
        GOOD = "good", "known good"
        BAD = "bad", "known bad"
        SHARED = "shared", "shared infrastructure"
        SCANNER = "scanner", "scanner"
        RESERVED = "reserved", "private or reserved"
        POPULAR = "popular", "popular"
        OTHER = "other", "other"

    class Standing(models.TextChoices):
        WARN = "warn", "warn"
        IGNORE = "ignore", "ignore"

    class Origin(models.TextChoices):
        PACKAGE = "package", "the package of MISP warning lists"
        FILE = "file", "a file"

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    about = models.TextField(blank=True)
    category = models.CharField(max_length=16, choices=Category)
    version = models.CharField(max_length=50, blank=True)
    standing = models.CharField(max_length=8, choices=Standing, default=Standing.WARN)
    origin = models.CharField(max_length=8, choices=Origin)
    # How many entries there are, and how many lines nobody could read as a name or an address.
    entry_count = models.PositiveIntegerField()
    unread_count = models.PositiveIntegerField(default=0)
    # Of the file it came from.
    sha256 = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()

    class Meta:
        ordering = ("title", "id")

    def __str__(self) -> str:
        return self.title


class KnownEntry(models.Model):
    """One name, one name with everything below it, or one address or network of a list."""

    known_list = models.ForeignKey(
        KnownList, on_delete=models.PROTECT, related_name="entries", db_constraint=False
    )
    name = models.TextField(blank=True, db_collation="C")
    below = models.BooleanField(default=False)
    network = CidrAddressField(null=True)

    class Meta:
        verbose_name = "entry of a known list"
        constraints = (
            models.CheckConstraint(
                condition=Q(~Q(name=""), network__isnull=True)
                | Q(name="", network__isnull=False, below=False),
                name="known_entry_name_or_network",
            ),
        )
        indexes = (
            # Read backwards, the names below one name lie beside each other; it also answers for equality.
            models.Index(Func(F("name"), function="reverse"), condition=~Q(name=""), name="known_backwards"),
            # Thirty times faster here than GiST, whose pages overlap: networks lie in each other.
            SpGistIndex(
                fields=["network"],
                opclasses=["inet_ops"],
                condition=Q(network__isnull=False),
                name="known_network",
            ),
        )

    def __str__(self) -> str:
        if self.network is not None:
            return str(self.network)
        return f"*.{self.name}" if self.below else self.name
