from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from cases.models.choices import FileKind
from cases.querysets import CaseQuerySet


class Case(models.Model):
    """An investigation that names files. Archived, never deleted."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        ARCHIVED = "archived", "archived"

    title = models.CharField(max_length=200)
    why = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cases")
    opened_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[CaseQuerySet] = CaseQuerySet.as_manager()  # type: ignore[assignment]  # a manager with its methods

    def __str__(self) -> str:
        return self.title


class CaseFile(models.Model):
    """A file that a case names: `text` as typed, `key` with ASCII letters lower-cased."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(max_length=8, choices=FileKind)
    text = models.TextField()
    key = models.TextField(db_collation="C")

    class Meta:
        verbose_name = "file"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["case", "kind", "key"], name="one_file_per_case"),)

    def __str__(self) -> str:
        return self.text


class CaseVisit(models.Model):
    """When a person last had the case open: what came later is new to them."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="visits")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="visits")
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["person", "case"], name="one_visit_per_person"),)

    def __str__(self) -> str:
        return f"{self.person_id} in case {self.case_id}"
