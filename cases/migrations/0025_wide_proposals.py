from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0024_fewer_indexes")]

    operations = [
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                condition=models.Q(("state", "proposed"), ("subject_kind__in", ["below", "network"])),
                fields=["id"],
                name="decision_wide_proposed",
            ),
        ),
    ]
