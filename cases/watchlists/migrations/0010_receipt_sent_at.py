from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("watchlists", "0009_publish_at"),)
    operations = (migrations.AddField("receipt", "sent_at", models.DateTimeField(null=True)),)
