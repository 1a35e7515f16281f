from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("cases", "0003_subjects_below_and_networks"),)

    operations = (
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["made_at"], name="decision_made"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                fields=["ended_at"], condition=models.Q(ended_at__isnull=False), name="decision_ended"
            ),
        ),
    )
