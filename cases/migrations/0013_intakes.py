import django.db.models.deletion
import netfields.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0012_blocked_and_seen"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Intake",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255)),
                ("reader", models.CharField(max_length=32)),
                ("sha256", models.CharField(max_length=64)),
                ("size", models.PositiveIntegerField()),
                (
                    "verdict",
                    models.CharField(choices=[("allowed", "allowed"), ("blocked", "blocked")], max_length=16),
                ),
                ("read_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "not confirmed"),
                            ("landing", "being imported"),
                            ("landed", "imported"),
                            ("stopped", "stopped"),
                            ("dropped", "dropped"),
                        ],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("asides", models.PositiveIntegerField(default=0)),
                ("lines", models.PositiveIntegerField(default=0)),
                ("reason", models.TextField(blank=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("takes_over", models.BooleanField(default=False)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("position", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("said", models.TextField(blank=True)),
                ("version", models.PositiveIntegerField(default=0)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="intakes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="IntakeLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "intake_id", "place", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("place", models.PositiveIntegerField()),
                ("number", models.PositiveIntegerField()),
                ("text", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("name", "exact name"),
                            ("below", "name and everything below"),
                            ("address", "address"),
                            ("network", "network"),
                            ("text", "exact text"),
                        ],
                        max_length=8,
                    ),
                ),
                ("subject", models.TextField(blank=True, db_collation="C")),
                ("network", netfields.fields.CidrAddressField(max_length=43, null=True)),
                (
                    "finding",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("known", "known"),
                            ("contradicting", "contradicting"),
                            ("otherwise", "says otherwise"),
                            ("too wide", "too wide"),
                            ("unreadable", "unreadable"),
                            ("repeated", "repeated"),
                        ],
                        max_length=16,
                    ),
                ),
                ("why", models.TextField(blank=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("made", "decided"),
                            ("proposed", "proposed"),
                            ("known since", "decided so meanwhile"),
                            ("left", "left alone"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "against",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.decision",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.decision",
                    ),
                ),
                (
                    "intake",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="cases.intake",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="intake",
            index=models.Index(
                condition=models.Q(("state", "landing")), fields=["id"], name="intake_landing"
            ),
        ),
        migrations.AddIndex(
            model_name="intakeline",
            index=models.Index(fields=["intake", "finding", "place"], name="lines_by_finding"),
        ),
        migrations.AddIndex(
            model_name="intakeline",
            index=models.Index(
                condition=models.Q(("outcome", ""), _negated=True),
                fields=["intake", "outcome", "place"],
                name="lines_by_outcome",
            ),
        ),
        migrations.AddIndex(
            model_name="intakeline",
            index=models.Index(
                condition=models.Q(("decision__isnull", False)), fields=["decision"], name="line_of_decision"
            ),
        ),
    ]
