"""Look-ups of the triggers that stay one step in an index, in young tables too."""

from pathlib import Path

from django.db import migrations

HERE = Path(__file__)


class Migration(migrations.Migration):
    dependencies = [("credits", "0011_budgets")]

    operations = [
        migrations.RunSQL(
            HERE.with_suffix(".sql").read_text(),
            HERE.with_name("0013_look_ups_reverse.sql").read_text(),
        )
    ]
