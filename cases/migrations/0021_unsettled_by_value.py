from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0020_deciding_bounds")]

    operations = [
        migrations.RemoveIndex(model_name="endpoint", name="endpoint_unsettled"),
        migrations.AddIndex(
            model_name="endpoint",
            index=models.Index(
                condition=models.Q(("settled", False)), fields=["case", "value"], name="endpoint_unsettled"
            ),
        ),
    ]
