"""What the policies of row-level security ask; the policies themselves: apps/core/walls."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0003_prune_what_is_left")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            # With the policies that ask them: the next `migrate` builds those again.
            reverse_sql="DROP FUNCTION coffer_user() CASCADE;"
            " DROP FUNCTION coffer_organization() CASCADE;",
        )
    ]
