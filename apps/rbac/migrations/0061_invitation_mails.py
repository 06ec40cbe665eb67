"""Invitations are sent as other mails are: the index of what waits is called as theirs."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rbac", "0060_mails")]

    operations = [
        migrations.RenameIndex(
            "invitation", new_name="rbac_invitation_to_mail", old_name="rbac_invitations_to_mail"
        )
    ]
