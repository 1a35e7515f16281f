from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = (("cases", "0018_review_due"),)

    operations = (
        migrations.RemoveIndex(model_name="casevalue", name="value_text"),
        migrations.RemoveIndex(model_name="decision", name="decision_text"),
        migrations.AddIndex(
            model_name="casevalue",
            index=GinIndex("case", OpClass(Lower("value"), name="gin_trgm_ops"), name="value_text"),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=GinIndex(OpClass(Lower("subject"), name="gin_trgm_ops"), name="decision_text"),
        ),
    )
