from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

# The ledger has told of each from the beginning.
_FROM_THE_LEDGER = """
    UPDATE cases_decision d
       SET made_again_from_id = (e.text::jsonb -> 'after' ->> 'made_again_from')::bigint
      FROM ledger_entry e
     WHERE e.event = 'cases:decision:made' AND e.text LIKE '%"made_again_from":%'
       AND d.id = e.subject_id::bigint AND e.text::jsonb -> 'after' ->> 'made_again_from' IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0022_connected_sightings"), ("ledger", "0004_subjects_of_any_length")]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="made_again_from",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.decision",
            ),
        ),
        migrations.RunSQL(
            [_FROM_THE_LEDGER, "SET CONSTRAINTS ALL IMMEDIATE"], reverse_sql=migrations.RunSQL.noop
        ),
    ]
