from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("watchlists", "0008_receipt_tried_at"),)
    operations = (
        migrations.AddField(
            "watchlist", "publish_at", ArrayField(models.TimeField(), default=list, blank=True)
        ),
    )
