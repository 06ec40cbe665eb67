"""Three months of movements in two organizations, for reports and the monthly close."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from apps.core import clock
from apps.credits.models import Lot, Wallet
from apps.credits.selectors import main_wallet
from apps.credits.services.charges import charge_event, refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from tests.people import make_organization

SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))


def at(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def grant(wallet: Wallet, amount: int, reference: str, **terms) -> None:
    terms.setdefault("kind", Lot.Kind.PURCHASE)
    grant_credits(wallet=wallet, amount=amount, reference=reference, source="test", **terms)


def charge(wallet: Wallet, reference: str, quantity: int = 1) -> None:
    charge_event(
        wallet=wallet, event="render", reference=reference, source="test", quantity=quantity
    )


def three_months() -> tuple[Wallet, Wallet]:
    """
    Return two wallets: one with bought credits in two currencies, one that rests in October.

    Trials of 100 credits expire in the middle of September, swept on the 20th.
    """
    with clock.moved_to(at(9, 1)):
        set_price(name="render", credit_cost=30, category="compute")
        first, second = (main_wallet(make_organization(name=name)) for name in ("Acme", "Beta"))
        grant(
            first,
            500,
            "eur",
            unit_cost=Decimal("1.905"),
            currency="eur",
            expires_at=at(10, 31) + timedelta(hours=11),
        )
        grant(first, 200, "usd", unit_cost=Decimal("2.5"), currency="usd", expires_at=at(12, 24))
        charge(first, "september")
    with clock.moved_to(at(9, 20)):
        sweep_expired_lots()
    with clock.moved_to(at(10, 10)):
        charge(first, "october", quantity=3)
        refund_charge(
            wallet=first, charge_reference="october", reference="back", source="test", amount=25
        )
        grant(first, 40, "gift", kind=Lot.Kind.PROMOTIONAL)
    with clock.moved_to(at(11, 1, 0)):
        sweep_expired_lots()
        charge(first, "november")
        grant(second, 7, "late", kind=Lot.Kind.ADJUSTMENT)
    return Wallet.objects.get(pk=first.pk), Wallet.objects.get(pk=second.pk)
