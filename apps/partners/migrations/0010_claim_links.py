"""Which organization a claim link opens, for the web, whose role sees none before that."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("partners", "0002_history_stays"), ("core", "0040_walls")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="DROP FUNCTION coffer_organization_of_programme_claim(bytea);",
        )
    ]
