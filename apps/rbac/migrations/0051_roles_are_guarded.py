"""Versions of roles, names without regard to case, and the locks on system roles."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rbac", "0050_openers"), ("core", "0002_refuse_change")]

    operations = [
        migrations.AddField(
            model_name="role",
            name="version",
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.RemoveConstraint(
            model_name="role",
            name="rbac_role_name_is_unique_in_its_organization",
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.UniqueConstraint(
                models.F("organization"),
                django.db.models.functions.text.Lower("name"),
                name="rbac_role_name_is_unique_in_its_organization",
                nulls_distinct=False,
                violation_error_message="There is a role with this name already.",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="role",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="rbac.role",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("status", "pending"), _negated=True)
                | models.Q(("role__isnull", False)),
                name="rbac_pending_invitation_has_a_role",
            ),
        ),
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text(),
            reverse_sql="""
            DROP TRIGGER rbac_roles_stay_in_their_organization ON rbac_userrole;
            DROP FUNCTION rbac_refuse_a_role_of_another_organization();
            DROP TRIGGER rbac_role_permissions_are_not_truncated ON rbac_rolepermission;
            DROP TRIGGER rbac_role_definitions_are_not_truncated ON rbac_role;
            DROP TRIGGER rbac_system_roles_keep_their_permissions ON rbac_rolepermission;
            DROP TRIGGER rbac_system_roles_are_locked ON rbac_role;
            DROP FUNCTION rbac_refuse_to_touch_system_roles();
            """,
        ),
    ]
