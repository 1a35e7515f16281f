from __future__ import annotations

from django.conf import settings
from django.db import models

from cases.models.case import Case


class Note(models.Model):
    """What somebody wrote about a case, in Markdown. A removed one stays; the ledger has the old texts."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notes")
    text = models.TextField()
    added_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        indexes = (models.Index(fields=["case", "-id"], name="note_of_case"),)

    def __str__(self) -> str:
        return f"note {self.pk} of case {self.case_id}"
