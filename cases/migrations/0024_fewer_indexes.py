import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


# Every index is written with every row, in a bulk decision by the hundred thousand. Nothing looks decisions up by
# those of people and cases; a verdict in an index of endpoints made each changed one write all others.
# What takes long is built first: dropping shuts out readers until the end of the transaction.
class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0023_made_again"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="casevalue",
            index=models.Index(
                condition=models.Q(("blocked__gt", 0), ("verdict", "undecided")),
                fields=["case", "last_seen"],
                name="value_blocked_in_part",
            ),
        ),
        migrations.RenameIndex(
            model_name="decision",
            old_name="decision_expiry",
            new_name="decision_expiry_of_all",
        ),
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False), ("state", "in force")),
                fields=["expires_at"],
                name="decision_expiry",
            ),
        ),
        migrations.RemoveIndex(
            model_name="endpoint",
            name="endpoint_blocked_seen",
        ),
        migrations.RemoveIndex(
            model_name="decision",
            name="decision_expiry_of_all",
        ),
        migrations.AlterField(
            model_name="decision",
            name="approver",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="approved",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="case",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cases.case",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="ended_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="made_in",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions_made",
                to="cases.case",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="proposer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="proposed",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="supersedes",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="superseded_by",
                to="cases.decision",
            ),
        ),
    ]
