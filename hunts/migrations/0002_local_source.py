from django.db import migrations


def add_local_source(apps, schema_editor):
    apps.get_model("hunts", "Source").objects.get_or_create(
        slug="local", defaults={"kind": "local", "title": "Imported telemetry"}
    )


def keep_it(apps, schema_editor):
    """Taking the tables away takes the source along; hunts may speak of it until then."""


class Migration(migrations.Migration):
    dependencies = (("hunts", "0001_initial"),)

    operations = (migrations.RunPython(add_local_source, keep_it),)
