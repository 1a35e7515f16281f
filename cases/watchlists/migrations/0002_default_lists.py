from typing import Any

from django.db import migrations

DEFAULTS = (
    ("all-blocks", "All blocks", "blocked", "Every name and address that is blocked everywhere."),
    ("all-allows", "All allows", "allowed", "Every name and address that is allowed everywhere."),
)


def add_default_lists(apps: Any, schema_editor: Any) -> None:
    watchlists = apps.get_model("watchlists", "Watchlist").objects
    for slug, title, verdict, about in DEFAULTS:
        watchlists.get_or_create(slug=slug, defaults={"title": title, "verdict": verdict, "about": about})


def remove_default_lists(apps: Any, schema_editor: Any) -> None:
    slugs = [slug for slug, *_ in DEFAULTS]
    apps.get_model("watchlists", "Watchlist").objects.filter(slug__in=slugs).delete()


class Migration(migrations.Migration):
    dependencies = (("watchlists", "0001_initial"),)

    operations = (migrations.RunPython(add_default_lists, remove_default_lists),)
