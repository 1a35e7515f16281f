from __future__ import annotations

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0019_text_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="unsettled",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["proposer", "verdict", "-id"], name="decision_last_reason"),
        ),
    ]
