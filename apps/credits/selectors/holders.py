"""Whose wallet is charged, and whose is shown."""

from collections.abc import Collection

from django.db.models import Exists, F, Q

from apps.credits.errors import NoWalletOfOwn
from apps.credits.models import Wallet
from apps.credits.selectors.balances import main_wallet
from apps.rbac.selectors import seat_of
from apps.tenants.models import Organization, User


def spending_wallet(organization: Organization, user: User) -> Wallet:
    """
    Return the wallet that a person spends from: his own if he holds one, else the main one.

    :raises NoWalletOfOwn: if he holds none, and has no seat in the organization.
    """
    main = Q(Exists(seat_of(organization, user)), kind=Wallet.Kind.ORGANIZATION)
    his = Wallet.objects.filter(Q(holder=user) | main, organization=organization)
    wallet = his.order_by(F("holder").asc(nulls_last=True)).first()
    if wallet is None:
        raise NoWalletOfOwn
    return wallet


def visible_wallet(organization: Organization, user: User) -> Wallet:
    """
    Return the wallet that pages show: the main one to who may see all of it, else whence he spends.

    :raises NoWalletOfOwn: if he may not see all, holds none, and has no seat.
    """
    if user.has_perm("credits.view", organization):
        return main_wallet(organization)
    return spending_wallet(organization, user)


def watched_wallet(
    organization: Organization, user: User, permissions: Collection[str]
) -> Wallet | None:
    """Return the wallet whose state concerns this person, or None if there is none for him."""
    if "credits.view" in permissions:
        return main_wallet(organization)
    try:
        return spending_wallet(organization, user)
    except NoWalletOfOwn:
        return None
