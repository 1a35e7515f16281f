from django.contrib.postgres.indexes import GinIndex
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = (("cases", "0014_batch_basis"),)

    operations = (
        migrations.AddIndex(
            model_name="decision",
            index=GinIndex(fields=["subject"], opclasses=["gin_trgm_ops"], name="decision_text"),
        ),
    )
