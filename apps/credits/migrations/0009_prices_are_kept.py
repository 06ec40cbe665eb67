"""A version of a price is written once: past charges point at it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("credits", "0008_closed_periods"), ("core", "0002_refuse_change")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TRIGGER credits_prices_are_kept
                BEFORE UPDATE OR DELETE OR TRUNCATE ON credits_creditevent
                FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_change();
            ALTER TABLE credits_creditevent ENABLE ALWAYS TRIGGER credits_prices_are_kept;
            """,
            reverse_sql="DROP TRIGGER credits_prices_are_kept ON credits_creditevent;",
        )
    ]
