from django.db import migrations, models

# ENABLE ALWAYS: the triggers also fire for a session that set session_replication_role.
REFUSE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER ledger_entry_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_is_append_only;

CREATE TRIGGER ledger_head_stays BEFORE DELETE OR TRUNCATE ON ledger_head
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER ledger_head_stays;

CREATE FUNCTION ledger_head_moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq <= OLD.seq THEN
        RAISE EXCEPTION 'The head of the ledger only moves on' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_head_moves_on BEFORE UPDATE ON ledger_head
    FOR EACH ROW EXECUTE FUNCTION ledger_head_moves_on();
ALTER TABLE ledger_head ENABLE ALWAYS TRIGGER ledger_head_moves_on;

INSERT INTO ledger_head (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'));
"""

ALLOW = """
DROP TRIGGER ledger_entry_is_append_only ON ledger_entry;
DROP TRIGGER ledger_head_stays ON ledger_head;
DROP TRIGGER ledger_head_moves_on ON ledger_head;
DROP FUNCTION ledger_refuse();
DROP FUNCTION ledger_head_moves_on();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = ()

    operations = (
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=16)),
                ("actor_id", models.CharField(max_length=64)),
                ("actor_name", models.CharField(max_length=200)),
                ("event", models.CharField(max_length=64)),
                ("subject_kind", models.CharField(max_length=32)),
                ("subject_id", models.CharField(max_length=64)),
                ("subject_name", models.TextField()),
                ("case_number", models.BigIntegerField(null=True)),
                ("reason", models.TextField()),
                ("request_id", models.CharField(max_length=64)),
                ("text", models.TextField()),
                ("hash", models.BinaryField(max_length=32)),
            ],
            options={
                "verbose_name_plural": "entries",
                "ordering": ("-seq",),
                "indexes": [
                    models.Index(fields=["case_number", "-seq"], name="entry_case"),
                    models.Index(fields=["subject_kind", "subject_id", "-seq"], name="entry_subject"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("seq", models.BigIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_head"),
                ],
            },
        ),
        migrations.RunSQL(REFUSE, ALLOW),
    )
