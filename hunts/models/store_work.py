from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from hunts.models.source import Source


class StoreWork(models.Model):
    """Something that a worker does to the store of a local source, under a lease as a slice's.

    `fence` counts claims: whoever holds an older number writes nothing. `losses` counts
    workers that vanished.
    """

    class State(models.TextChoices):
        RECEIVING = "receiving", "being uploaded"
        WAITING = "waiting", "waits for a worker"
        WORKING = "working", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        ABANDONED = "abandoned", "abandoned"

    ENDED = (State.DONE, State.FAILED, State.ABANDONED)

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    fence = models.PositiveIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    hinted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # How far it is: hunts.telemetry.progress.Progress, with the name of the file it reads.
    phase = models.CharField(max_length=40, blank=True)
    phase_done = models.BigIntegerField(default=0)
    phase_total = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    reads = models.CharField(max_length=300, blank=True)
    # Why it failed, in words.
    said = models.TextField(blank=True)
    # Moves with every change the page shows.
    version = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True
        ordering = ("-id",)

    @property
    def waits_since(self) -> datetime:
        return self.asked_at

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED


class Upload(StoreWork):
    """Files that a person sends, piece by piece, and what became of them.

    They lie in a folder of the upload's own, named by numbers; what people called them is only here.
    """

    moved_at = models.DateTimeField(auto_now_add=True)
    # Known right before the import becomes visible: hunts.uploads.summary_json().
    summary = models.JSONField(null=True)
    import_id = models.CharField(max_length=60, blank=True)
    # What was refused: [{"file": …, "reason": …}].
    refusals = models.JSONField(default=list)

    class Meta(StoreWork.Meta):
        indexes = (
            models.Index(
                fields=["state"],
                condition=Q(state__in=["receiving", "waiting", "working"]),
                name="upload_underway",
            ),
            models.Index(fields=["source", "-id"], name="uploads_of_source"),
        )

    def __str__(self) -> str:
        return f"upload {self.pk}"

    @property
    def waits_since(self) -> datetime:
        return self.moved_at


class UploadedFile(models.Model):
    """One file of an upload. Bytes beyond `received` on the disk count for nothing."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="files")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    # SHA-256 of its first piece: with name and size this tells whether a file is the same again.
    first_piece = models.CharField(max_length=64, blank=True)
    received = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("upload_id", "number")
        constraints = (
            models.UniqueConstraint(fields=["upload", "number"], name="one_file_per_number"),
            models.CheckConstraint(
                condition=Q(received__gte=0, received__lte=models.F("size")), name="no_more_than_its_size"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Removal(StoreWork):
    """Taking the rows of one import out of a store again."""

    import_id = models.CharField(max_length=60)
    # What people know the import by: the names of its files.
    files = models.JSONField(default=list)
    readmitted = models.BigIntegerField(default=0)
    days = models.PositiveIntegerField(default=0)
    # Known right before it becomes visible: hunts.telemetry.upkeep.Removal.
    outcome = models.JSONField(null=True)

    class Meta(StoreWork.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["source", "import_id"],
                condition=Q(state__in=["waiting", "working"]),
                name="one_removal_of_an_import",
            ),
        )

    def __str__(self) -> str:
        return f"removal {self.pk}"


class StoreChange(models.Model):
    """A change of a store that is about to become visible, and what the ledger is to say of it.

    It goes with the entry. One that stays was left by a process that ended in between; whether the change was
    made tells the store's `revision`.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    # What becomes visible together is one entry.
    operation = models.UUIDField()
    revision = models.BigIntegerField()
    noted_at = models.DateTimeField(auto_now_add=True)
    event = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.TextField()
    actor_name = models.TextField()
    before = models.JSONField(null=True)
    after = models.JSONField()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["operation"], name="store_change_operation"),)

    def __str__(self) -> str:
        return f"{self.event} of {self.source_id}, revision {self.revision}"
