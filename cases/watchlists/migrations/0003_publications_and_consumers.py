from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import cases.watchlists.models


def add_switch(apps: Any, schema_editor: Any) -> None:
    apps.get_model("watchlists", "Publishing").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0002_big_tables"),
        ("watchlists", "0002_default_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="watchlist",
            name="as_of",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="watchlist",
            name="cases",
            field=models.ManyToManyField(related_name="watchlists", to="cases.case"),
        ),
        migrations.AddField(
            model_name="watchlist",
            name="paused_why",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="watchlist",
            name="rule_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="watchlist",
            name="scopes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[("case", "this case"), ("file", "this file"), ("everywhere", "everywhere")],
                    max_length=16,
                ),
                default=cases.watchlists.models.everywhere,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="watchlist",
            name="subject_kinds",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("name", "exact name"),
                        ("below", "name and everything below"),
                        ("address", "address"),
                        ("network", "network"),
                        ("text", "exact text"),
                    ],
                    max_length=8,
                ),
                default=cases.watchlists.models.every_kind,
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="Conflict",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=8)),
                ("value", models.TextField(db_collation="C")),
                ("left_out", models.BooleanField()),
                ("why", models.TextField()),
                (
                    "against",
                    models.ForeignKey(
                        db_constraint=False,
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
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.decision",
                    ),
                ),
                (
                    "watchlist",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conflicts",
                        to="watchlists.watchlist",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Consumer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("format", models.SlugField()),
                ("made_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("fetched_at", models.DateTimeField(null=True)),
                ("fetched_from", models.CharField(blank=True, max_length=64)),
                ("holds", models.PositiveIntegerField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "watchlist",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consumers",
                        to="watchlists.watchlist",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="FeedToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hash", models.CharField(max_length=64, unique=True)),
                ("ending", models.CharField(max_length=4)),
                ("made_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "consumer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tokens",
                        to="watchlists.consumer",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Fetch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "consumer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fetches",
                        to="watchlists.consumer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("published", "published"),
                            ("held", "held for a second person"),
                            ("refused", "not published"),
                        ],
                        max_length=16,
                    ),
                ),
                ("why", models.TextField()),
                ("made_at", models.DateTimeField()),
                ("rolled_back_to", models.PositiveIntegerField(null=True)),
                ("entries", models.PositiveIntegerField()),
                ("added", models.PositiveIntegerField()),
                ("removed", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "approver",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "watchlist",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="publications",
                        to="watchlists.watchlist",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="PublishedEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(db_collation="C", max_length=8)),
                ("value", models.TextField(db_collation="C")),
                ("verdict", models.CharField(max_length=16)),
                ("reason", models.TextField()),
                ("decided_by", models.TextField()),
                ("decided_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("case_number", models.BigIntegerField(null=True)),
                ("decision_number", models.BigIntegerField()),
                ("may_widen", models.BooleanField()),
                ("added_in", models.PositiveIntegerField()),
                ("removed_in", models.PositiveIntegerField(null=True)),
                (
                    "watchlist",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="watchlists.watchlist",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Publishing",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("paused_at", models.DateTimeField(null=True)),
                ("why", models.TextField(blank=True)),
                (
                    "paused_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="consumer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True)), fields=("name",), name="one_consumer"
            ),
        ),
        migrations.AddConstraint(
            model_name="fetch",
            constraint=models.UniqueConstraint(fields=("consumer", "number"), name="one_first_fetch"),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=models.UniqueConstraint(
                fields=("watchlist", "number"), name="one_publication_per_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "held")), fields=("watchlist",), name="one_publication_held"
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("number__isnull", False), ("state", "published")),
                    models.Q(("number__isnull", True), models.Q(("state", "published"), _negated=True)),
                    _connector="OR",
                ),
                name="publication_number_when_published",
            ),
        ),
        migrations.AddIndex(
            model_name="publishedentry",
            index=models.Index(fields=["watchlist", "added_in"], name="entry_added"),
        ),
        migrations.AddIndex(
            model_name="publishedentry",
            index=models.Index(
                condition=models.Q(("removed_in__isnull", False)),
                fields=["watchlist", "removed_in"],
                name="entry_removed",
            ),
        ),
        migrations.AddConstraint(
            model_name="publishedentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_in__isnull", True)),
                fields=("watchlist", "kind", "value"),
                name="one_entry_per_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="publishing",
            constraint=models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_publishing_switch"),
        ),
        migrations.RunPython(add_switch, migrations.RunPython.noop),
    ]
