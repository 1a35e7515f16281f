from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("cases", "0002_big_tables"),)

    operations = (
        migrations.AddIndex(
            model_name="casevalue",
            index=models.Index(
                models.Func(models.F("value"), function="reverse"),
                condition=models.Q(kind="name"),
                name="value_backwards",
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                models.Func(models.F("network"), function="family"),
                models.Func(models.F("network"), function="masklen"),
                condition=models.Q(state="in force", subject_kind="network"),
                name="decision_prefixes",
            ),
        ),
    )
