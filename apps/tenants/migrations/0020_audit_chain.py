"""The chain of audit rows: where each ends, and the seal of each row."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).with_suffix(".sql")
REVERSE = SQL.with_name("0020_audit_chain_reverse.sql")


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0010_organizations"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField(default=0)),
                ("head_hash", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="seal",
                        serialize=False,
                        to="tenants.auditlog",
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                ("entry_hash", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.AddField(
            model_name="auditlog",
            name="acting_as",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="auditlog",
            name="user_agent",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddIndex(
            model_name="auditlog",
            index=models.Index(
                fields=["organization", "actor", "-created_at"], name="tenants_audit_by_actor"
            ),
        ),
        migrations.AddIndex(
            model_name="auditlog",
            index=models.Index(
                fields=["organization", "object_id", "-created_at"], name="tenants_audit_by_object"
            ),
        ),
        migrations.AddIndex(
            model_name="auditlog",
            index=models.Index(
                condition=models.Q(("result", "denied")),
                fields=["organization", "-created_at"],
                name="tenants_audit_denials",
            ),
        ),
        migrations.AddField(
            model_name="auditseal",
            name="chain",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.auditchain",
            ),
        ),
        migrations.AddConstraint(
            model_name="auditseal",
            constraint=models.UniqueConstraint(
                fields=("chain", "sequence"), name="tenants_one_seal_a_place"
            ),
        ),
        migrations.RunSQL(SQL.read_text(), reverse_sql=REVERSE.read_text()),
    ]
