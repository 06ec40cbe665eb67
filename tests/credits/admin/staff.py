"""Staff, and wallets for them to look at."""

from datetime import timedelta

from apps.core import ids
from apps.credits import selectors
from apps.credits.models import Hold, Lot, Wallet
from apps.credits.services.grants import grant_credits
from apps.credits.services.holds import hold_amount
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization, User
from tests.people import make_organization, make_person


def make_staff(*roles: str, **flags) -> User:
    """Return somebody who may open the admin, with these roles everywhere."""
    person = make_person(is_staff=True, **flags)
    for role in roles:
        assign_role(user=person, role=system_role(role), organization=None)
    return person


def make_root() -> User:
    return make_staff(is_superuser=True)


def wallet_of(organization: Organization | None = None) -> Wallet:
    """Return an organization's main wallet: 100 trial credits are in it."""
    return selectors.main_wallet(organization or make_organization())


def grant(wallet: Wallet, amount: int, kind: Lot.Kind = Lot.Kind.PURCHASE, **terms) -> Lot:
    reference = f"test:{ids.new_id()}"
    grant_credits(
        wallet=wallet, amount=amount, kind=kind, reference=reference, source="test", **terms
    )
    return Lot.objects.get(wallet=wallet, origin=reference)


def hold(wallet: Wallet, amount: int, *, minutes: int = 15, reference: str = "") -> Hold:
    reference = reference or f"test:{ids.new_id()}"
    hold_amount(
        wallet=wallet,
        amount=amount,
        reference=reference,
        source="test",
        ttl=timedelta(minutes=minutes),
    )
    return Hold.objects.get(wallet=wallet, reference=reference)


def page_of(kind: str, rest: str = "") -> str:
    """Return an address of the ledger's admin."""
    return f"/admin/credits/{kind}/{rest}"
