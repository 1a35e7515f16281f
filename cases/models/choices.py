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


class ValueKind(models.TextChoices):
    NAME = "name", "name"
    ADDRESS = "address", "address"
    TEXT = "text", "unreadable text"
