from __future__ import annotations

from django.db import models


class FileKind(models.TextChoices):
    NAME = "name", "file name"
    SHA1 = "sha1", "SHA1"
    SHA256 = "sha256", "SHA256"


class Verdict(models.TextChoices):
    UNDECIDED = "undecided", "undecided"
    ALLOWED = "allowed", "allowed"
    BLOCKED = "blocked", "blocked"


class Severity(models.IntegerChoices):
    """How bad it would be; a number, so that lists sort by it."""

    UNRATED = 0, "not rated"
    LOW = 1, "low"
    MEDIUM = 2, "medium"
    HIGH = 3, "high"
    CRITICAL = 4, "critical"


class Tlp(models.TextChoices):
    """Who may see the case, by the Traffic Light Protocol 2.0."""

    UNMARKED = "", "not marked"
    CLEAR = "clear", "TLP:CLEAR"
    GREEN = "green", "TLP:GREEN"
    AMBER = "amber", "TLP:AMBER"
    AMBER_STRICT = "amber+strict", "TLP:AMBER+STRICT"
    RED = "red", "TLP:RED"


class ValueKind(models.TextChoices):
    NAME = "name", "name"
    ADDRESS = "address", "address"
    TEXT = "text", "unreadable text"
