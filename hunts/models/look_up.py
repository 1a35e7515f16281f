from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.models import Case
from hunts.models.source import Source
from hunts.querysets import LookUpQuerySet


class LookUp(models.Model):
    """A question beside the hunts of a case: who else talks to this, where was this file seen.

    Its answer is a list of rows that is kept with the case; nothing is merged from it. `fence` is as
    that of a slice.
    """

    class Question(models.TextChoices):
        TALKERS = "talkers", "who else talks to it"
        MACHINES = "machines", "on which machines it was seen"

    class SubjectKind(models.TextChoices):
        NAME = "name", "name"
        ADDRESS = "address", "address"
        FILE = "file", "file name"
        SHA1 = "sha1", "SHA1"
        SHA256 = "sha256", "SHA256"

    class State(models.TextChoices):
        WAITING = "waiting", "waits"
        ASKING = "asking", "asking"
        DONE = "done", "complete"
        FAILED = "failed", "failed"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="look_ups")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="look_ups")
    question = models.CharField(max_length=8, choices=Question)
    subject_kind = models.CharField(max_length=8, choices=SubjectKind)
    subject = models.TextField()
    first_day = models.DateField()
    last_day = models.DateField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    not_before = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    # How often the source was really asked: standing in line is not asking.
    questions = models.PositiveIntegerField(default=0)
    kql = models.TextField(blank=True)
    said = models.TextField(blank=True)
    rows = models.JSONField(default=list)
    # There are more rows than are kept.
    more = models.BooleanField(default=False)
    seconds = models.FloatField(default=0)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[LookUpQuerySet] = LookUpQuerySet.as_manager()  # type: ignore[assignment]  # as Run.objects

    class Meta:
        indexes = (
            models.Index(fields=["state"], condition=Q(state__in=["waiting", "asking"]), name="look_up_work"),
            models.Index(fields=["case", "-id"], name="look_ups_of_case"),
        )

    def __str__(self) -> str:
        return f"{self.get_question_display()}: {self.subject}"

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)
