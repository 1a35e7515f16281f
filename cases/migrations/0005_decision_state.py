from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("cases", "0004_decisions_by_time"),)

    operations = (
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["state", "-id"], name="decision_state"),
        ),
    )
