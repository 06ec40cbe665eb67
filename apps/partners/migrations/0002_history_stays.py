"""What was awarded, and by which terms, is written once."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    """Triggers that raise."""

    dependencies = [("partners", "0001_programme"), ("core", "0002_refuse_change")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql=Path(__file__).with_name(f"{Path(__file__).stem}_reverse.sql").read_text(),
        ),
    ]
