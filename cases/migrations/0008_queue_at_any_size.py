import django.db.models.deletion
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations, models

from cases.domains import registered_domain

# Every statement that changes values adds what changed in their number; see the model ValueCount.
COUNT = """
CREATE FUNCTION cases_count_values() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO cases_valuecount (case_id, verdict, change)
        SELECT case_id, verdict, count(*) FROM after_rows GROUP BY case_id, verdict;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO cases_valuecount (case_id, verdict, change)
        SELECT case_id, verdict, -count(*) FROM before_rows GROUP BY case_id, verdict;
    ELSE
        INSERT INTO cases_valuecount (case_id, verdict, change)
        SELECT case_id, verdict, sum(change) FROM (
            SELECT case_id, verdict, 1 AS change FROM after_rows
            UNION ALL SELECT case_id, verdict, -1 FROM before_rows
        ) moved GROUP BY case_id, verdict HAVING sum(change) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cases_count_added AFTER INSERT ON cases_casevalue REFERENCING NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION cases_count_values();
CREATE TRIGGER cases_count_changed AFTER UPDATE ON cases_casevalue
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION cases_count_values();
CREATE TRIGGER cases_count_removed AFTER DELETE ON cases_casevalue REFERENCING OLD TABLE AS before_rows
    FOR EACH STATEMENT EXECUTE FUNCTION cases_count_values();
INSERT INTO cases_valuecount (case_id, verdict, change)
SELECT case_id, verdict, count(*) FROM cases_casevalue GROUP BY case_id, verdict;
"""
COUNT_NO_MORE = """
DROP TRIGGER cases_count_added ON cases_casevalue;
DROP TRIGGER cases_count_changed ON cases_casevalue;
DROP TRIGGER cases_count_removed ON cases_casevalue;
DROP FUNCTION cases_count_values();
"""

FILL_FILES = """
UPDATE cases_casevalue v SET file_ids = e.file_ids
  FROM (SELECT case_id, value, array_agg(DISTINCT file_id) AS file_ids FROM cases_endpoint
         GROUP BY case_id, value) e
 WHERE e.case_id = v.case_id AND e.value = v.value
"""
FILL_DOMAINS = """
UPDATE cases_casevalue v SET domain = d.domain
  FROM unnest(%s::text[], %s::text[]) AS d(value, domain)
 WHERE v.value = d.value AND v.kind = 'name'
"""


def fill_domains(apps, schema_editor):
    names = apps.get_model("cases", "CaseValue").objects.filter(kind="name").values_list("value", flat=True)
    domains = {name: registered_domain(name) for name in names.order_by().distinct().iterator(10_000)}
    known = {name: domain for name, domain in domains.items() if domain}
    if known:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(FILL_DOMAINS, [list(known), list(known.values())])


class Migration(migrations.Migration):
    dependencies = (("cases", "0007_case_life"),)

    operations = (
        TrigramExtension(),
        BtreeGinExtension(),
        migrations.RemoveIndex(model_name="casevalue", name="value_queue"),
        migrations.AddField(
            model_name="casevalue",
            name="domain",
            field=models.TextField(db_collation="C", default=""),
        ),
        migrations.AddField(
            model_name="casevalue",
            name="file_ids",
            field=ArrayField(base_field=models.BigIntegerField(), default=list, size=None),
        ),
        migrations.RunSQL(FILL_FILES, migrations.RunSQL.noop),
        migrations.RunPython(fill_domains, migrations.RunPython.noop),
        migrations.CreateModel(
            name="ValueCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[("undecided", "undecided"), ("allowed", "allowed"), ("blocked", "blocked")],
                        max_length=16,
                    ),
                ),
                ("change", models.BigIntegerField()),
                (
                    "case",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.case",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["case", "verdict"], include=["change"], name="value_count")],
            },
        ),
        migrations.RunSQL(COUNT, COUNT_NO_MORE),
        *(
            migrations.AddIndex(
                model_name="casevalue",
                index=models.Index(fields=["case", "verdict", *fields], name=name),
            )
            for name, fields in (
                ("value_first_seen", ("first_seen", "id")),
                ("value_last_seen", ("last_seen", "id")),
                ("value_added", ("added_at", "id")),
                ("value_devices", ("devices", "id")),
                ("value_events", ("events", "id")),
                ("value_domain", ("domain", "value")),
            )
        ),
        migrations.AddIndex(
            model_name="casevalue",
            index=GinIndex(
                fields=["case", "value"], opclasses=["int8_ops", "gin_trgm_ops"], name="value_text"
            ),
        ),
        migrations.AddIndex(
            model_name="casevalue",
            index=GinIndex(fields=["file_ids"], name="value_files"),
        ),
        migrations.AddIndex(
            model_name="casevalue",
            index=GinIndex(fields=["case", "ports"], opclasses=["int8_ops", "array_ops"], name="value_ports"),
        ),
    )
