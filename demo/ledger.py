"""What else the ledger of the demo can show: holds, a debt, a transfer, corrections."""

from datetime import datetime, timedelta

from apps.core import clock, context
from apps.credits import selectors
from apps.credits.models import Correction, Hold, Wallet
from apps.credits.services import charges, corrections, holds, transfers, wallets
from apps.credits.services.correction_terms import Terms
from apps.tenants.models import Organization, User


def place_holds(now: datetime, organization: Organization, developer: User) -> None:
    """Leave one hold open, one captured in part, and one given back."""
    wallet = selectors.main_wallet(organization)
    with context.acting(actor=f"user:{developer.public_id}"):
        captured = _hold(now - timedelta(hours=5), wallet, "demo:batch:1", quantity=20)
        with clock.moved_to(now - timedelta(hours=4)):
            holds.capture_hold(hold=captured, amount=42, source="api", description="14 of 20")
        released = _hold(now - timedelta(hours=3), wallet, "demo:batch:2", quantity=10)
        with clock.moved_to(now - timedelta(hours=2)):
            holds.release_hold(hold=released, source="api", description="Cancelled by the caller")
        _hold(now - timedelta(minutes=30), wallet, "demo:batch:3", quantity=15)


def _hold(moment: datetime, wallet: Wallet, reference: str, *, quantity: int) -> Hold:
    with clock.moved_to(moment):
        holds.hold_for_event(
            wallet=wallet,
            event="api.render",
            quantity=quantity,
            reference=reference,
            source="api",
            source_id=reference.removeprefix("demo:"),
            ttl=timedelta(hours=24),
        )
    return Hold.objects.get(wallet=wallet, reference=reference)


def move_credits_to_a_second_wallet(now: datetime, organization: Organization) -> None:
    """Set 100 credits apart in a wallet of the same organization."""
    second = Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)
    with clock.moved_to(now - timedelta(days=1)):
        transfers.transfer_credits(
            wallet=selectors.main_wallet(organization),
            target=second,
            amount=100,
            reference="demo:transfer:1",
            source="api",
            description="Budget of the night shift",
        )


def owe_credits(now: datetime, organization: Organization) -> None:
    """Give a credit line, and spend beyond the trial."""
    wallet = selectors.main_wallet(organization)
    with clock.moved_to(now - timedelta(days=2)):
        wallets.set_credit_line(wallet=wallet, limit=200, reason="Contract 2026-117")
        left = selectors.balance_of(wallet).available
        charges.charge_amount(
            wallet=wallet,
            amount=left + 65,
            reference="demo:overtime",
            source="api",
            description="Overtime, partly on the credit line",
        )


def correct_wallets(now: datetime, organization: Organization, staff: User) -> None:
    """Post a small correction, and leave one that waits for a second person."""
    wallet = selectors.main_wallet(organization)
    Reason = Correction.Reason
    with context.acting(actor=f"user:{staff.public_id}"):
        with clock.moved_to(now - timedelta(days=3)):
            corrections.request_correction(
                wallet=wallet,
                action=Correction.Action.GRANT,
                terms=Terms(amount=25),
                why=corrections.Why(Reason.GOODWILL, "Sorry for Tuesday's delay", "HELP-1041"),
                user=staff,
            )
        with clock.moved_to(now - timedelta(hours=8)):
            corrections.request_correction(
                wallet=wallet,
                action=Correction.Action.GRANT,
                terms=Terms(amount=15_000, kind="promotional"),
                why=corrections.Why(Reason.CONTRACT, "Agreed for the annual contract", "SALES-88"),
                user=staff,
            )
