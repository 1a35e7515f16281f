from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("cases", "0016_decisions_backwards"),)

    operations = (
        migrations.AddIndex(
            model_name="casevalue",
            index=models.Index(fields=["case", "kind", "id"], name="value_kind"),
        ),
    )
