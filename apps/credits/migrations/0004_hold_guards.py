"""What the database refuses of holds, and quicker look-ups in what it refuses of chains."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("credits", "0003_ledger_complete")]

    operations = [migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text())]
