"""What the database refuses: broken chains, unexplained balances, changed history."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql")
REVERSE = SQL.with_name("0002_ledger_guards_reverse.sql")


class Migration(migrations.Migration):
    dependencies = [("credits", "0001_initial"), ("core", "0002_refuse_change")]

    operations = [
        # RunSQL splits on semicolons only for backends that need it; PostgreSQL does not.
        migrations.RunSQL(SQL.read_text(), reverse_sql=REVERSE.read_text())
    ]
