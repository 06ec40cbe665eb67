"""The trigger function that protects append-only tables."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="DROP FUNCTION core_refuse_change();",
        )
    ]
