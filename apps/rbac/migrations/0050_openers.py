"""Which organization a secret opens, for the web, whose role sees no organization before that."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rbac", "0041_ownership_transfers"), ("core", "0040_walls")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="DROP FUNCTION coffer_organization_of_invitation(bytea);"
            " DROP FUNCTION coffer_organization_of_api_key(bytea);",
        )
    ]
