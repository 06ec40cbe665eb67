"""Keys lose a scope that allows nothing any more: an organization has one wallet of its own."""

from django.db import migrations

DROP = "UPDATE rbac_apikey SET scopes = array_remove(scopes, 'credits:transfer')"


class Migration(migrations.Migration):
    dependencies = [("rbac", "0062_key_mails")]

    operations = [
        # Not given back: which keys had it is not known any more, and it allowed them nothing.
        migrations.RunSQL(DROP, reverse_sql=migrations.RunSQL.noop),
    ]
