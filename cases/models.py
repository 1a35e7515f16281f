from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from netfields import CidrAddressField, InetAddressField

from cases.querysets import CaseQuerySet, CaseValueQuerySet, DecisionQuerySet, EndpointQuerySet
from cases.verdicts import precedence
from cases.verdicts.subject import Subject, SubjectKind


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


class Decision(models.Model):
    """A person's allow or block of a subject, in a scope. Rows are ended, never edited or deleted."""

    class SubjectKind(models.TextChoices):
        NAME = "name", "exact name"
        BELOW = "below", "name and everything below"
        ADDRESS = "address", "address"
        NETWORK = "network", "network"
        TEXT = "text", "exact text"

    class Scope(models.TextChoices):
        CASE = "case", "this case"
        FILE = "file", "this file"
        EVERYWHERE = "everywhere", "everywhere"

    class State(models.TextChoices):
        PROPOSED = "proposed", "proposed"
        IN_FORCE = "in force", "in force"
        REJECTED = "rejected", "rejected"
        WITHDRAWN = "withdrawn", "withdrawn"
        SUPERSEDED = "superseded", "superseded"
        EXPIRED = "expired", "expired"

    verdict = models.CharField(
        max_length=16, choices=[(v.value, v.label) for v in (Verdict.ALLOWED, Verdict.BLOCKED)]
    )
    subject_kind = models.CharField(max_length=8, choices=SubjectKind)
    subject = models.TextField(db_collation="C")
    # The subject again where it is an address or a network, for matching by the database.
    network = CidrAddressField(null=True)
    scope = models.CharField(max_length=16, choices=Scope)
    # The case of a case-wide decision; for the others it is empty, and `made_in` says where it was made.
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="+")
    file_kind = models.CharField(max_length=8, blank=True)
    file_key = models.TextField(blank=True, db_collation="C")
    made_in = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="decisions_made")
    reason = models.TextField()
    expires_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=16, choices=State)
    proposer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="proposed")
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="approved"
    )
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # What this decision took the place of; undoing it makes that one again.
    supersedes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="superseded_by")
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[DecisionQuerySet] = DecisionQuerySet.as_manager()  # type: ignore[assignment]  # as Case.objects

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["subject_kind", "subject", "scope", "case", "file_kind", "file_key"],
                condition=Q(state="in force"),
                nulls_distinct=False,
                name="one_decision_in_force",
            ),
            models.UniqueConstraint(
                fields=["subject_kind", "subject", "scope", "case", "file_kind", "file_key"],
                condition=Q(state="proposed"),
                nulls_distinct=False,
                name="one_decision_proposed",
            ),
            models.CheckConstraint(
                condition=Q(scope="case", case__isnull=False, file_kind="", file_key="")
                | Q(Q(scope="file", case__isnull=True) & ~Q(file_kind="") & ~Q(file_key=""))
                | Q(scope="everywhere", case__isnull=True, file_kind="", file_key=""),
                name="decision_scope_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(subject_kind__in=["address", "network"], network__isnull=False)
                | Q(subject_kind__in=["name", "below", "text"], network__isnull=True),
                name="decision_network_as_kind",
            ),
        )
        indexes = (
            models.Index(
                fields=["scope", "verdict", "subject_kind", "subject"],
                condition=Q(state="in force"),
                name="decision_lists",
            ),
            models.Index(fields=["subject"], name="decision_subject"),
            models.Index(
                fields=["network"],
                condition=Q(state="in force", network__isnull=False),
                name="decision_network",
            ),
            # The prefixes in use, which settling asks for.
            models.Index(
                Func(F("network"), function="family"),
                Func(F("network"), function="masklen"),
                condition=Q(state="in force", subject_kind="network"),
                name="decision_prefixes",
            ),
            models.Index(fields=["expires_at"], condition=Q(state="in force"), name="decision_expiry"),
            models.Index(fields=["made_in", "-id"], name="decision_made_in"),
            # What has changed since a watchlist was published, asked at each tick.
            models.Index(fields=["made_at"], name="decision_made"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="decision_ended"),
        )

    def __str__(self) -> str:
        noun = "allow" if self.verdict == Verdict.ALLOWED else "block"
        return f"{noun} of {self.subject_typed}, {precedence.SCOPE_WORDS[precedence.Scope(self.scope)]}"

    @property
    def as_subject(self) -> Subject:
        return Subject(SubjectKind(self.subject_kind), self.subject)

    @property
    def subject_typed(self) -> str:
        """The subject as people write it, with its star."""
        return self.as_subject.typed


# The three big tables have no foreign keys in the database: checking each row costs a sixth of a merge.
# Their rows are written by statements that read the parent, and nothing deletes cases, files or decisions.


class Endpoint(models.Model):
    """One (file, address, name) observed in a case; the pair is never flattened.

    `key` is the MD5 of file, address and name as a uuid: joins on the nullable pair itself take minutes.
    The sets are sorted and hold up to their cap; `more` names the ones that were cut.
    """

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="endpoints", db_index=False, db_constraint=False
    )
    file = models.ForeignKey(
        CaseFile, on_delete=models.PROTECT, related_name="endpoints", db_index=False, db_constraint=False
    )
    key = models.UUIDField()
    ip = InetAddressField(null=True, store_prefix_length=False)
    dns = models.TextField(db_collation="C")
    # An address written where a name belongs, differing from `ip`: it governs like a name.
    dns_ip = InetAddressField(null=True, store_prefix_length=False)
    value = models.TextField(db_collation="C")
    value_kind = models.CharField(max_length=8, choices=ValueKind)
    raw_ips = ArrayField(models.TextField(), default=list)
    raw_names = ArrayField(models.TextField(), default=list)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    devices = ArrayField(models.TextField(), default=list)
    ports = ArrayField(models.IntegerField(), default=list)
    actions = ArrayField(models.TextField(), default=list)
    accounts = ArrayField(models.TextField(), default=list)
    hashes = ArrayField(models.TextField(), default=list)
    folders = ArrayField(models.TextField(), default=list)
    publishers = ArrayField(models.TextField(), default=list)
    parents = ArrayField(models.TextField(), default=list)
    command_lines = ArrayField(models.TextField(), default=list)
    more = ArrayField(models.TextField(), default=list)
    settled = models.BooleanField(default=False)
    name_verdict = models.CharField(max_length=16, choices=Verdict, default=Verdict.UNDECIDED)
    name_decision = models.ForeignKey(
        Decision, null=True, db_index=False, db_constraint=False, on_delete=models.PROTECT, related_name="+"
    )
    address_verdict = models.CharField(max_length=16, choices=Verdict, default=Verdict.UNDECIDED)
    address_decision = models.ForeignKey(
        Decision, null=True, db_index=False, db_constraint=False, on_delete=models.PROTECT, related_name="+"
    )
    verdict = models.CharField(max_length=16, choices=Verdict, default=Verdict.UNDECIDED)

    objects: ClassVar[EndpointQuerySet] = EndpointQuerySet.as_manager()  # type: ignore[assignment]  # as Case.objects

    class Meta:
        constraints = (models.UniqueConstraint(fields=["case", "key"], name="one_endpoint_per_key"),)
        indexes = (
            # Also finds a name across cases: where there is a name, it is the value.
            models.Index(fields=["value", "case"], name="endpoint_value"),
            models.Index(fields=["ip"], condition=Q(ip__isnull=False), name="endpoint_ip"),
            models.Index(fields=["dns_ip"], condition=Q(dns_ip__isnull=False), name="endpoint_dns_ip"),
            models.Index(fields=["case"], condition=Q(settled=False), name="endpoint_unsettled"),
        )

    def __str__(self) -> str:
        return f"{self.dns or '-'} {self.ip or '-'}"

    @property
    def direction(self) -> str:
        """inbound, outbound, both, or empty when no recorded action says."""
        connecting = [action for action in self.actions if action != "ListeningConnectionCreated"]
        inbound = [action.startswith("Inbound") for action in connecting]
        if not inbound:
            return ""
        return "both" if any(inbound) and not all(inbound) else "inbound" if inbound[0] else "outbound"


class Sighting(models.Model):
    """An endpoint seen at a source on one UTC day."""

    pk = models.CompositePrimaryKey("endpoint_id", "source", "day")
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.PROTECT, related_name="sightings", db_index=False, db_constraint=False
    )
    source = models.SlugField(max_length=50, db_index=False)
    day = models.DateField()
    events = models.BigIntegerField()
    active_hours = models.SmallIntegerField()
    devices = models.IntegerField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.endpoint_id} on {self.day}"


class CaseValue(models.Model):
    """One name or address of a case: the queue's row. Merging and settling keep it true to its endpoints.

    `strip` holds the events of the 30 UTC days that end on `strip_to`, the last day seen, oldest first.
    `devices` and `ports` are exact unless their `more` is set; then they are "at least".
    """

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="values", db_index=False, db_constraint=False
    )
    value = models.TextField(db_collation="C")
    kind = models.CharField(max_length=8, choices=ValueKind)
    verdict = models.CharField(max_length=16, choices=Verdict, default=Verdict.UNDECIDED)
    is_open = models.BooleanField(default=True)
    endpoints = models.IntegerField(default=0)
    undecided = models.IntegerField(default=0)
    allowed = models.IntegerField(default=0)
    blocked = models.IntegerField(default=0)
    files = models.IntegerField(default=0)
    addresses = models.IntegerField(default=0)
    devices = models.IntegerField(default=0)
    devices_more = models.BooleanField(default=False)
    ports = ArrayField(models.IntegerField(), default=list)
    ports_more = models.BooleanField(default=False)
    events = models.BigIntegerField(default=0)
    days = models.IntegerField(default=0)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    strip = ArrayField(models.BigIntegerField(), default=list)
    strip_to = models.DateField()
    added_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=0)

    objects: ClassVar[CaseValueQuerySet] = CaseValueQuerySet.as_manager()  # type: ignore[assignment]  # as Case.objects

    class Meta:
        verbose_name = "value"
        constraints = (models.UniqueConstraint(fields=["case", "value"], name="one_value_per_case"),)
        indexes = (
            models.Index(fields=["case", "-is_open", "-first_seen", "-id"], name="value_queue"),
            # Read backwards, the names below one name lie beside each other.
            models.Index(
                Func(F("value"), function="reverse"), condition=Q(kind="name"), name="value_backwards"
            ),
        )

    def __str__(self) -> str:
        return self.value

    @property
    def exact_subject(self) -> Subject:
        return Subject.of_value(self.value, self.kind)
