import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("cases", "0006_known_lists"),
    )

    operations = (
        migrations.AddField("case", "state_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "case",
            "state_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "case", "state_reason", models.TextField(blank=True, default=""), preserve_default=False
        ),
        migrations.AddField(
            "case",
            "assignee",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assigned",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            "case",
            "severity",
            models.PositiveSmallIntegerField(
                choices=[(0, "not rated"), (1, "low"), (2, "medium"), (3, "high"), (4, "critical")], default=0
            ),
        ),
        migrations.AddField(
            "case",
            "tlp",
            models.CharField(
                blank=True,
                choices=[
                    ("", "not marked"),
                    ("clear", "TLP:CLEAR"),
                    ("green", "TLP:GREEN"),
                    ("amber", "TLP:AMBER"),
                    ("amber+strict", "TLP:AMBER+STRICT"),
                    ("red", "TLP:RED"),
                ],
                default="",
                max_length=12,
            ),
        ),
        migrations.AddField(
            "case",
            "tags",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField("case", "version", models.PositiveIntegerField(default=1)),
        migrations.AlterField(
            "case",
            "state",
            models.CharField(
                choices=[("open", "open"), ("watching", "watching"), ("closed", "closed")],
                default="open",
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            "case", django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="case_tags")
        ),
        migrations.RunSQL(
            "UPDATE cases_case SET state = 'closed' WHERE state = 'archived'",
            reverse_sql=(
                "UPDATE cases_case SET state = 'archived' WHERE state = 'closed';"
                "UPDATE cases_case SET state = 'open' WHERE state = 'watching'"
            ),
        ),
    )
