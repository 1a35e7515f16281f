from django.db import migrations, models


class Migration(migrations.Migration):
    """A name has up to 253 letters, and may be what an entry speaks of. The type changes, no row does."""

    dependencies = (("ledger", "0003_attempts_of_a_verification"),)

    operations = (migrations.AlterField(model_name="entry", name="subject_id", field=models.TextField()),)
