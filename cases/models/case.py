from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from cases.models.choices import FileKind, Severity, Tlp
from cases.querysets import CaseQuerySet


class Case(models.Model):
    """An investigation that names files. Closed, never deleted. docs/cases.md says what each state means."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        WATCHING = "watching", "watching"
        CLOSED = "closed", "closed"

    # The states in which hunts are asked and values decided.
    LIVE = (State.OPEN, State.WATCHING)

    title = models.CharField(max_length=200)
    why = models.TextField(blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    # Since when it is in its state, by whom (null: by evidence) and why; empty since it was opened.
    state_at = models.DateTimeField(null=True)
    state_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    state_reason = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cases")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="assigned"
    )
    severity = models.PositiveSmallIntegerField(choices=Severity, default=Severity.UNRATED)
    tlp = models.CharField(max_length=12, choices=Tlp, blank=True, default=Tlp.UNMARKED)
    # Lower-case, sorted, each once.
    tags = ArrayField(models.TextField(), default=list, blank=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    # Moves with every change of the row: nobody overwrites what they have not seen.
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[CaseQuerySet] = CaseQuerySet.as_manager()  # type: ignore[assignment]  # a manager with its methods

    class Meta:
        indexes = (GinIndex(fields=["tags"], name="case_tags"),)

    def __str__(self) -> str:
        return self.title

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE


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
