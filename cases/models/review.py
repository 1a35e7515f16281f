from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5

from cases.models.case import Case, CaseFile
from cases.review_queryset import ReviewDueQuerySet


class FileTrait(models.Model):
    """A hash or a folder under which a file of a case was seen: what a new one is compared with.

    An empty `text` says that some were left out of an answer: from then on nothing counts as new.
    """

    class Kind(models.TextChoices):
        HASH = "hash", "hash"
        FOLDER = "folder", "folder"

    file = models.ForeignKey(CaseFile, on_delete=models.PROTECT, related_name="traits", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    text = models.TextField(db_collation="C")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # By its hash, because a folder may be longer than an index takes.
        constraints = (models.UniqueConstraint("file", "kind", MD5("text"), name="one_trait_per_file"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.text}"


class ReviewDue(models.Model):
    """Something new about what is decided: a person looks again. It never changes a verdict.

    It is about a file (a new hash or folder) or about a value (a new port, connections the other way).
    """

    class Cause(models.TextChoices):
        HASH = "hash", "new hash"
        FOLDER = "folder", "new folder"
        PORT = "port", "new port"
        OUTBOUND = "outbound", "inbound turned outbound"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    cause = models.CharField(max_length=8, choices=Cause)
    file = models.ForeignKey(CaseFile, null=True, on_delete=models.PROTECT, related_name="reviews")
    # Empty where it is about a file.
    value = models.TextField(blank=True, db_collation="C")
    # What is new, as text: the hash, the folder, the port.
    what = models.TextField(db_collation="C")
    raised_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    objects: ClassVar[ReviewDueQuerySet] = ReviewDueQuerySet.as_manager()  # type: ignore[assignment]  # as Case.objects

    class Meta:
        verbose_name_plural = "reviews due"
        ordering = ("id",)
        constraints = (
            # What was confirmed once is not raised again.
            models.UniqueConstraint(
                "case",
                "cause",
                "file",
                "value",
                MD5("what"),
                name="one_review_per_news",
                nulls_distinct=False,
            ),
        )
        indexes = (
            models.Index(fields=["case", "value"], condition=Q(confirmed_at=None), name="review_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.get_cause_display()} {self.what}"
