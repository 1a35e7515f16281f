from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("watchlists", "0007_token_of_a_fetch"),)
    operations = (migrations.AddField("receipt", "tried_at", models.DateTimeField(null=True)),)
