"""The triggers that keep an owner in every organization that is not closed."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("rbac", "0031_key_warnings"),
        ("tenants", "0010_organizations"),
        ("core", "0002_refuse_change"),
    ]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="""
            DROP TRIGGER rbac_organization_has_an_owner ON tenants_organization;
            DROP TRIGGER rbac_roles_are_not_truncated ON rbac_userrole;
            DROP TRIGGER rbac_last_owner_stays ON rbac_userrole;
            DROP FUNCTION rbac_begin_with_owner();
            DROP FUNCTION rbac_keep_owner();
            DROP FUNCTION rbac_require_owner(uuid);
            """,
        )
    ]
