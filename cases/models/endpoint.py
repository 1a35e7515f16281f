from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower
from netfields import InetAddressField

from cases.models.case import Case, CaseFile
from cases.models.choices import ValueKind, Verdict
from cases.models.decision import Decision
from cases.querysets import EndpointQuerySet
from cases.value_queryset import CaseValueQuerySet
from cases.verdicts.subject import Subject

# The three big tables have no foreign keys in the database: checking each row costs a sixth of a merge.
# Their rows are written by statements that read the parent, and nothing deletes cases, files or decisions.

# Actions of connections that came from elsewhere.
INBOUND = ("InboundConnectionAccepted", "InboundInternetScanInspected")


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
        # None holds a verdict, so that a changed one is written beside the row and touches no index.
        indexes = (
            # Also finds a name across cases: where there is a name, it is the value.
            models.Index(fields=["value", "case"], name="endpoint_value"),
            models.Index(fields=["ip"], condition=Q(ip__isnull=False), name="endpoint_ip"),
            models.Index(fields=["dns_ip"], condition=Q(dns_ip__isnull=False), name="endpoint_dns_ip"),
            models.Index(fields=["case", "value"], condition=Q(settled=False), name="endpoint_unsettled"),
            # Few, and asked for when connections go out for the first time.
            models.Index(
                fields=["case", "value"], condition=Q(actions__overlap=INBOUND), name="endpoint_inbound"
            ),
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
    # Whether a connection was among the actions of the day; None where that is not known.
    connected = models.BooleanField(null=True)

    def __str__(self) -> str:
        return f"{self.endpoint_id} on {self.day}"


class CaseValue(models.Model):
    """One name or address of a case: the queue's row. Merging and settling keep it true to its endpoints.

    `strip` holds the events of the 30 UTC days that end on `strip_to`, the last day seen, oldest first.
    `devices` and `ports` are exact unless their `more` is set; then they are "at least".
    `domain` is the registered domain of a name, empty where there is none.
    """

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="values", db_index=False, db_constraint=False
    )
    value = models.TextField(db_collation="C")
    kind = models.CharField(max_length=8, choices=ValueKind)
    domain = models.TextField(db_collation="C", default="")
    verdict = models.CharField(max_length=16, choices=Verdict, default=Verdict.UNDECIDED)
    is_open = models.BooleanField(default=True)
    endpoints = models.IntegerField(default=0)
    undecided = models.IntegerField(default=0)
    allowed = models.IntegerField(default=0)
    blocked = models.IntegerField(default=0)
    files = models.IntegerField(default=0)
    file_ids = ArrayField(models.BigIntegerField(), default=list)
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
            # One for each order of the queue; the names of one registered domain lie beside each other.
            models.Index(fields=["case", "verdict", "first_seen", "id"], name="value_first_seen"),
            models.Index(fields=["case", "verdict", "last_seen", "id"], name="value_last_seen"),
            models.Index(fields=["case", "verdict", "added_at", "id"], name="value_added"),
            models.Index(fields=["case", "verdict", "devices", "id"], name="value_devices"),
            models.Index(fields=["case", "verdict", "events", "id"], name="value_events"),
            models.Index(fields=["case", "verdict", "domain", "value"], name="value_domain"),
            models.Index(fields=["case", "kind", "id"], name="value_kind"),
            # Of the undecided those with something blocked, to find what was seen after it was.
            models.Index(
                fields=["case", "last_seen"],
                condition=Q(verdict="undecided", blocked__gt=0),
                name="value_blocked_in_part",
            ),
            # Of the lowered text: on the value itself it would answer `=` too, a thousand times slower than
            # the index that is there for it, and be taken.
            GinIndex("case", OpClass(Lower("value"), name="gin_trgm_ops"), name="value_text"),
            GinIndex(fields=["file_ids"], name="value_files"),
            GinIndex(fields=["case", "ports"], opclasses=["int8_ops", "array_ops"], name="value_ports"),
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
