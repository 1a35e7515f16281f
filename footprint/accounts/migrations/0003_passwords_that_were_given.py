from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("accounts", "0002_sign_in_attempts"),)

    operations = (
        migrations.AddField(
            model_name="person",
            name="must_choose_password",
            field=models.BooleanField(default=False),
        ),
    )
