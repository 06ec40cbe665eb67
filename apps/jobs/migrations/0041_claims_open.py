"""Which organization a worker's claim opens, for the web, which sees none before that."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("jobs", "0040_external_workers"), ("core", "0040_walls")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="DROP FUNCTION coffer_organization_of_worker_claim(bytea);",
        )
    ]
