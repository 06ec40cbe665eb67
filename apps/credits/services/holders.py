"""Wallets of members, and whose own they are."""

from django.db import IntegrityError, transaction
from psycopg import errors as postgres

from apps.core.bulk import insert_many
from apps.core.errors import NotFound
from apps.credits.errors import WalletIsHeld
from apps.credits.models import Wallet
from apps.tenants.models import Organization, User
from apps.tenants.services.audit import record


def open_member_wallet(*, organization: Organization) -> Wallet:
    """Open an empty wallet beside the organization's main one; nobody holds it yet."""
    (wallet,) = open_member_wallets(organization=organization, count=1)
    return wallet


@transaction.atomic
def open_member_wallets(*, organization: Organization, count: int) -> list[Wallet]:
    """Open so many empty wallets of members, with one INSERT however many they are."""
    wallets = [Wallet(organization=organization, kind=Wallet.Kind.MEMBER) for _ in range(count)]
    return insert_many(wallets)


@transaction.atomic
def set_holder(*, wallet: Wallet, user: User | None) -> Wallet:
    """
    Make a member's wallet a person's own, or nobody's; as it is already, nothing is done.

    :raises NotFound: if it is no member's wallet.
    :raises WalletIsHeld: if it is another person's, or he holds another one here.
    """
    if wallet.kind != Wallet.Kind.MEMBER:
        raise NotFound
    before = wallet.holder
    if before == user:
        return wallet
    if None not in (before, user):
        raise WalletIsHeld
    # What it was is asked in the statement that changes it, so that of two the second finds out.
    rows = Wallet.objects.filter(pk=wallet.pk, holder=before)
    try:
        with transaction.atomic():
            is_changed = rows.update(holder=user)
    except IntegrityError as error:
        if not isinstance(error.__cause__, postgres.UniqueViolation):
            raise
        raise WalletIsHeld from error
    if not is_changed and not Wallet.objects.filter(pk=wallet.pk, holder=user).exists():
        raise WalletIsHeld
    wallet.holder = user
    if not is_changed:  # by a second tab, a moment ago
        return wallet
    record(
        action="wallet.holder_set",
        organization=wallet.organization,
        object_id=wallet.public_id,
        before={"holder": before and before.public_id},
        after={"holder": user and user.public_id},
    )
    return wallet
