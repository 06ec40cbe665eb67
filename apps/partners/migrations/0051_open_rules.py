"""A person sees the rules by which he may join programmes, before he belongs to any."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    """The functions that tell of it; the walls ask the first, and fall with it."""

    dependencies = [
        ("partners", "0050_asking"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="DROP FUNCTION partners_rules_open_to(uuid) CASCADE;"
            "DROP FUNCTION partners_rules_taken_by(uuid);",
        ),
    ]
