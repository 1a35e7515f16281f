from __future__ import annotations

from datetime import date, time, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from cases.models import Case, CaseFile, CaseValue, FileKind
from hunts.querysets import (
    HuntQuerySet,
    LookUpQuerySet,
    RunQuerySet,
    SliceQuerySet,
    SourceQuerySet,
)
from hunts.schedules import LONGEST_CRON, Rhythm, Schedule


class Source(models.Model):
    """A configured place to ask. The slug never changes: sightings keep it as text.

    `version` moves with each change of what an adapter is made of. No secret is kept here: `credential`
    names a way to sign in, and the environment of each process holds the rest.
    """

    class Kind(models.TextChoices):
        LOCAL = "local", "imported telemetry"
        LOG_ANALYTICS = "log_analytics", "Log Analytics"
        DEFENDER_XDR = "defender_xdr", "Defender XDR"
        DATA_EXPLORER = "data_explorer", "Data Explorer"

    MOST_AT_ONCE = 50
    MOST_PER_30_SECONDS = 1_000
    MOST_KEEP_DAYS = 12 * 366

    slug = models.SlugField(unique=True, max_length=50)
    kind = models.CharField(max_length=32, choices=Kind)
    title = models.CharField(max_length=100)
    # Texts by name, as hunts.sources.open takes them.
    options = models.JSONField(default=dict, blank=True)
    credential = models.CharField(max_length=120, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="sources"
    )
    # Most questions that all workers together ask at the same time, and in any 30 seconds.
    at_once = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(MOST_AT_ONCE)]
    )
    per_30_seconds = models.PositiveSmallIntegerField(
        default=200, validators=[MinValueValidator(1), MaxValueValidator(MOST_PER_30_SECONDS)]
    )
    # Of a local source: older telemetry is removed. Everything is kept when it is not set.
    keep_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_KEEP_DAYS)]
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    added_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Null when it paused itself, because it refused to answer.
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    paused_because = models.TextField(blank=True, editable=False)
    # The last test and what it found; the test that was last wished for.
    probe = models.JSONField(null=True, blank=True, editable=False)
    probed_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_asked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[SourceQuerySet] = SourceQuerySet.as_manager()  # type: ignore[assignment]  # as Run.objects

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.title

    @property
    def is_local(self) -> bool:
        return self.kind == self.Kind.LOCAL

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None


class Hunt(models.Model):
    """A question of a case: these files, at this source, looking back so many days."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="hunts")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="hunts")
    files = models.ManyToManyField(CaseFile, related_name="hunts")
    # Whole UTC days up to today, or from a fixed day on when `since` is set.
    look_back_days = models.PositiveIntegerField(default=30)
    since = models.DateField(null=True)
    # The schedule, as hunts.schedules reads it; without a rhythm the hunt is asked by people only.
    rhythm = models.CharField(max_length=8, blank=True, choices=[(each, each) for each in Rhythm])
    every = models.PositiveSmallIntegerField(default=1)
    at = models.TimeField(default=time(6))
    time_zone = models.CharField(max_length=64, default="UTC")
    cron = models.CharField(max_length=LONGEST_CRON, blank=True)
    starts_on = models.DateField(default=date(1970, 1, 1))
    # How far a scheduled run looks back; what the schedule says by itself when it is not set.
    overlap_hours = models.PositiveIntegerField(null=True)
    # What the next run is due for, and when it starts: later by the jitter. Both null without a schedule.
    next_slot = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[HuntQuerySet] = HuntQuerySet.as_manager()  # type: ignore[assignment]  # as Run.objects

    class Meta:
        indexes = (
            models.Index(
                fields=["next_at"],
                condition=Q(next_at__isnull=False, paused_at__isnull=True),
                name="hunt_due",
            ),
        )

    def __str__(self) -> str:
        return f"hunt {self.pk} of case {self.case_id}"

    @property
    def schedule(self) -> Schedule | None:
        if not self.rhythm:
            return None
        return Schedule(Rhythm(self.rhythm), self.every, self.at, self.time_zone, self.cron, self.starts_on)

    @property
    def overlap(self) -> timedelta | None:
        """How far back a scheduled run asks, in whole UTC days from there on; None without a schedule."""
        schedule = self.schedule
        return None if schedule is None else timedelta(hours=self.overlap_hours or schedule.overlap_hours)


class Run(models.Model):
    """One asking of a hunt. Its work is its slices; the database is the queue's truth."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        COMPLETE = "complete", "complete"
        PARTIAL = "partial", "partial"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    ENDED = (State.COMPLETE, State.PARTIAL, State.FAILED, State.CANCELLED)

    hunt = models.ForeignKey(Hunt, on_delete=models.PROTECT, related_name="runs")
    # What the run was due for; unique per hunt, so that two clocks never open it twice.
    slot = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    first_day = models.DateField()
    last_day = models.DateField()
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    cancel_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # Why it did not end complete, in words.
    reasons = models.JSONField(default=list)
    rows = models.BigIntegerField(default=0)
    new_endpoints = models.IntegerField(default=0)
    new_values = models.IntegerField(default=0)
    # Days before `first_day` that earlier runs left open and this one asks again, and how many more
    # there are than one run asks.
    owed_days = ArrayField(models.DateField(), default=list)
    owed_left = models.PositiveIntegerField(default=0)
    # Questions in a row that had no answer in time.
    timeouts = models.PositiveSmallIntegerField(default=0)
    # Rows empty on both sides after normalising make no endpoint; they are counted here.
    empty_rows = models.BigIntegerField(default=0)
    # Moves with every change the page shows; the ETag of the progress part.
    version = models.PositiveIntegerField(default=0)

    objects: ClassVar[RunQuerySet] = RunQuerySet.as_manager()  # type: ignore[assignment]  # a manager with its methods

    class Meta:
        constraints = (models.UniqueConstraint(fields=["hunt", "slot"], name="one_run_per_slot"),)
        indexes = (
            models.Index(fields=["hunt"], condition=Q(state__in=["queued", "running"]), name="run_underway"),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED


class Slice(models.Model):
    """The part of a run that one query covers: the unit of work and of retry.

    What was too much for one query is split: its children are asked in its place. `part` is empty, or the
    first digits that the MD5 of a pair has, and then the slice is about one day.

    `fence` counts claims: whoever holds an older number writes nothing. `attempts` counts questions
    the source failed; `losses` counts
    workers that vanished.
    """

    class Purpose(models.TextChoices):
        PLAN = "plan", "plan"
        DAYS = "days", "days"

    class State(models.TextChoices):
        WAITING = "waiting", "waits"
        ASKING = "asking", "asking"
        DONE = "done", "complete"
        # Answered, but not whole: its numbers are "at least".
        PARTIAL = "partial", "in part"
        SPLIT = "split", "split"
        OUT_OF_RETENTION = "out of retention", "out of retention"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="slices")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    purpose = models.CharField(max_length=8, choices=Purpose)
    # Names, SHA1 and SHA256 are asked in queries of their own.
    file_kind = models.CharField(max_length=8, choices=FileKind)
    first_day = models.DateField()
    last_day = models.DateField()
    part = models.CharField(max_length=4, blank=True)
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    not_before = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    # Of a plan: days on which the table held no rows at all, of any file.
    silent_days = ArrayField(models.DateField(), default=list)
    estimated_groups = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    kql = models.TextField(blank=True)
    # What the source said when it failed or answered in part, in its own words.
    said = models.TextField(blank=True)
    hinted_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[SliceQuerySet] = SliceQuerySet.as_manager()  # type: ignore[assignment]  # as Run.objects

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=["state", "lease_until"],
                condition=Q(state__in=["waiting", "asking"]),
                name="slice_work",
            ),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of run {self.run_id}: {self.first_day} to {self.last_day}"


class StagedRows(models.Model):
    """Rows of a part of a day that wait for the other parts, since only the whole day can be merged.

    In buckets: all rows of an endpoint are in the same one, so that a day is merged bucket by bucket.
    """

    slice = models.ForeignKey(Slice, on_delete=models.CASCADE, related_name="staged")
    bucket = models.PositiveSmallIntegerField()
    # Compressed JSON.
    rows = models.BinaryField()

    class Meta:
        verbose_name_plural = "staged rows"
        constraints = (models.UniqueConstraint(fields=["slice", "bucket"], name="one_staging_per_bucket"),)

    def __str__(self) -> str:
        return f"bucket {self.bucket} of slice {self.slice_id}"


class Coverage(models.Model):
    """What is proven for one day of a hunt. Only `covered` counts for "nothing found"."""

    class State(models.TextChoices):
        COVERED = "covered", "covered"
        NO_TELEMETRY = "no telemetry", "no telemetry"
        OUT_OF_RETENTION = "out of retention", "out of retention"
        PARTIAL = "partial", "partial"
        OWED = "owed", "owed"

    hunt = models.ForeignKey(Hunt, on_delete=models.PROTECT, related_name="coverage")
    day = models.DateField()
    state = models.CharField(max_length=16, choices=State)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "coverage"
        constraints = (models.UniqueConstraint(fields=["hunt", "day"], name="one_coverage_per_day"),)

    def __str__(self) -> str:
        return f"{self.day}: {self.state}"


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


class RunNews(models.Model):
    """What a run found that is news, told once: a value never seen before, back, or gone quiet.

    `day` is the day it is about: seen on it, or seen last. `before` is the day it had been seen before.
    """

    class Kind(models.TextChoices):
        NEW = "new", "new"
        RETURNING = "returning", "returning"
        QUIET = "quiet", "gone quiet"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="news")
    # Without a constraint, as the big tables: nothing deletes values.
    value = models.ForeignKey(
        CaseValue, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=9, choices=Kind)
    day = models.DateField()
    before = models.DateField(null=True)

    class Meta:
        verbose_name_plural = "news"
        constraints = (
            models.UniqueConstraint(fields=["value", "kind", "day"], name="one_news_per_day"),
            # A value is new once, whatever is learned of its days later.
            models.UniqueConstraint(fields=["value"], condition=Q(kind="new"), name="new_once"),
        )
        indexes = (models.Index(fields=["run", "kind", "id"], name="news_of_run"),)

    def __str__(self) -> str:
        return f"value {self.value_id} {self.kind} in run {self.run_id}"


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
