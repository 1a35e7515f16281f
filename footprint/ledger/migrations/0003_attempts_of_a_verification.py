from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("ledger", "0002_checkpoints"),)

    operations = (
        migrations.AddField(
            model_name="verification",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    )
