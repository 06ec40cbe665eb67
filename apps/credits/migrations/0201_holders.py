"""A member's wallet says whose own it is."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("credits", "0200_lots_that_return"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            "wallet",
            "holder",
            models.ForeignKey(
                settings.AUTH_USER_MODEL,
                models.PROTECT,
                related_name="+",
                null=True,
                blank=True,
            ),
        ),
        migrations.AddConstraint(
            "wallet",
            models.UniqueConstraint(
                fields=["organization", "holder"],
                condition=Q(holder__isnull=False),
                name="credits_holder_has_one_wallet",
            ),
        ),
        migrations.AddConstraint(
            "wallet",
            models.CheckConstraint(
                name="credits_only_members_wallets_have_a_holder",
                condition=Q(holder=None) | Q(kind="member"),
            ),
        ),
    ]
