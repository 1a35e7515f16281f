from django.db import migrations, models

# Earlier publications are called as their list is called now: nobody knows better.
_FILL = """
    UPDATE watchlists_publication p SET title = w.title, about = w.about
      FROM watchlists_watchlist w WHERE w.id = p.watchlist_id
"""


class Migration(migrations.Migration):
    dependencies = [("watchlists", "0005_rule_changed_by")]

    operations = [
        migrations.AddField("publication", "title", models.CharField(blank=True, default="", max_length=100)),
        migrations.AddField("publication", "about", models.TextField(blank=True, default="")),
        migrations.AddField("publication", "held_because", models.TextField(blank=True, default="")),
        migrations.AlterField("publication", "title", models.CharField(blank=True, max_length=100)),
        migrations.AlterField("publication", "about", models.TextField(blank=True)),
        migrations.AlterField("publication", "held_because", models.TextField(blank=True)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.RemoveIndex("receipt", "receipt_state"),
        migrations.AddIndex("receipt", models.Index(fields=["target", "-id"], name="receipt_newest")),
        migrations.AddIndex("receipt", models.Index(fields=["target", "state", "-id"], name="receipt_state")),
    ]
