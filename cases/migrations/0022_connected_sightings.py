from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0021_unsettled_by_value")]

    operations = [
        # None for the sightings that are there: of their days nothing is known.
        migrations.AddField(model_name="sighting", name="connected", field=models.BooleanField(null=True)),
    ]
