"""The trigger that keeps rows of the audit log as they were written."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial"), ("core", "0002_refuse_change")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="DROP TRIGGER tenants_audit_rows_stay ON tenants_auditlog;",
        )
    ]
