"""Something in every table of credits, for writes that their guards must refuse."""

from datetime import timedelta

from apps.core import ids
from apps.core.clock import database_now, moved_to
from apps.credits.models import (
    BudgetAlert,
    Correction,
    ExpiryWarning,
    FormerAccount,
    Hold,
    Lot,
    Wallet,
)
from apps.credits.selectors import correction_limit, main_wallet
from apps.credits.selectors.closing import next_period_to_close
from apps.credits.selectors.former import FormerBalance, FormerEntry, History
from apps.credits.services import closing, corrections, holds
from apps.credits.services.budgets import create_budget
from apps.credits.services.charges import charge_amount, charge_event, refund_charge
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why
from apps.credits.services.former import import_balance, import_histories
from apps.credits.services.grants import grant_credits
from apps.credits.services.prices import set_price
from tests.people import make_organization, make_person
from tests.races.sql import ask_what_is_asked_at_commit


def make_guarded_wallet() -> Wallet:
    """Return a wallet with a trial, a purchase, a charge that was given back, and another."""
    set_price(name="render", credit_cost=30, category="compute")
    wallet = main_wallet(make_organization())
    grant_credits(
        wallet=wallet, amount=50, kind=Lot.Kind.PURCHASE, reference="payment:1", source="payment"
    )
    charge_event(wallet=wallet, event="render", reference="job:1", source="job", quantity=4)
    refund_charge(wallet=wallet, charge_reference="job:1", reference="refund:job:1", source="job")
    charge_event(wallet=wallet, event="render", reference="job:2", source="job")
    ask_what_is_asked_at_commit()
    return wallet


def fill_the_other_tables(wallet: Wallet) -> None:
    """Add something to each table that a wallet with movements leaves empty."""
    _add_holds_and_corrections(wallet)
    _add_former_accounts(wallet)
    _add_warnings_and_closed_months(wallet)


def _add_holds_and_corrections(wallet: Wallet) -> None:
    """Add an open hold and a captured one, a pending correction and a posted one."""
    hold = {"wallet": wallet, "source": "job", "ttl": timedelta(hours=1)}
    holds.hold_amount(**hold, amount=8, reference="hold:open")
    holds.hold_amount(**hold, amount=8, reference="hold:captured")
    captured = Hold.objects.get(reference="hold:captured")
    holds.capture_hold(hold=captured, amount=3, source="job")
    for amount in (10, correction_limit() + 1):
        corrections.request_correction(
            wallet=wallet,
            action=Correction.Action.GRANT,
            terms=Terms(amount=amount),
            why=Why(Correction.Reason.GOODWILL),
            user=make_person(),
            correction_id=ids.new_id(),
        )
    charge_amount(wallet=wallet, amount=1, reference="last", source="job")
    ask_what_is_asked_at_commit()


def _add_warnings_and_closed_months(wallet: Wallet) -> None:
    """Add a warning, a wallet that is still empty, a month that is closed, and one in closing."""
    lot = Lot.objects.get(wallet=wallet, kind=Lot.Kind.PURCHASE)
    ExpiryWarning.objects.create(
        organization=wallet.organization, lot=lot, days=7, amount=5, mail_due_at=database_now()
    )
    budget = create_budget(wallet=wallet, monthly_limit=10_000)
    BudgetAlert.objects.create(
        organization=wallet.organization,
        budget=budget,
        month=database_now().date().replace(day=1),
        percent=50,
        monthly_limit=10_000,
        used=5_000,
        mail_due_at=database_now(),
    )
    Wallet.objects.create(
        organization=wallet.organization, kind=Wallet.Kind.MEMBER, holder=make_person()
    )
    with moved_to(database_now() + timedelta(days=70)):
        closing.close_month(month=_next_month())
        closing.seal_month(month=_next_month())
    ask_what_is_asked_at_commit()


def _add_former_accounts(wallet: Wallet) -> None:
    """Add a balance of a former system with its history, and one without."""
    organization = wallet.organization
    for number in ("1", "2"):
        import_balance(FormerBalance(f"former-{number}", organization, 5))
    account = FormerAccount.objects.get(former_id="former-1")
    (entry,) = entries = [FormerEntry("former-1", "t1", database_now(), "purchase", 5, 5, "", "")]
    history = History()
    history.add(entry)
    import_histories(
        accounts={"former-1": account}, histories={"former-1": history}, entries=entries
    )
    ask_what_is_asked_at_commit()


def _next_month():
    due = next_period_to_close()
    assert due is not None
    return due.first_day
