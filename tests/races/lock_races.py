"""Races that go as they must because of one lock, and go wrong without it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from unittest import mock

from django.db import DatabaseError, connection, transaction

from apps.core import ids
from apps.core.clock import database_now, moved_to
from apps.core.errors import DomainError
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post_one
from apps.credits.models import (
    BudgetMonth,
    ClosedTotals,
    Correction,
    CreditTransaction,
    Lot,
    Wallet,
)
from apps.credits.selectors import correction_limit, main_wallet
from apps.credits.selectors.closing import next_period_to_close
from apps.credits.services import budgets, closing, corrections, plan_changes, wallets
from apps.credits.services.charges import charge_amount
from apps.credits.services.correction_terms import Terms
from apps.credits.services.corrections import Why
from apps.credits.services.expiry import sweep_expired_lots
from apps.tenants.models import AuditLog
from tests.credits.wallets import make_wallet
from tests.people import make_organization, make_person
from tests.races.racing import at_once, wait_until_awaited

RACERS = 6
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def charge_together() -> bool:
    """Several charge one wallet: all of them are served."""
    wallet_id = make_wallet(credits=100).id

    def charge(number: int) -> None:
        command = Charge(wallet_id=wallet_id, reference=f"c:{number}", source="test", amount=1)
        with transaction.atomic():
            post_one(command)

    return _said(charge) == {"done": RACERS}


def sweep_around_a_busy_wallet() -> bool:
    """A sweep while somebody works in one of two due wallets: it does the other, and at once."""
    busy, idle = (main_wallet(make_organization()) for _ in range(2))
    later = database_now() + timedelta(days=15)

    def sweep() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        try:
            with moved_to(later):
                return sweep_expired_lots().wallets
        except DatabaseError:
            return -1

    with transaction.atomic():
        Wallet.objects.select_for_update().get(pk=busy.pk)
        (swept,) = at_once([sweep])
    idle.refresh_from_db()
    busy.refresh_from_db()
    return swept > 0 and idle.balance == 0 and busy.balance > 0


def send_one_form_together() -> bool:
    """The same form is sent several times at once: it has one effect, and nobody is refused."""
    wallet, maker, form = make_wallet(credits=10), make_person(), ids.new_id()

    def send(number: int) -> None:
        corrections.request_correction(
            wallet=wallet,
            action=Correction.Action.GRANT,
            terms=Terms(amount=5),
            why=Why(Correction.Reason.GOODWILL),
            user=maker,
            correction_id=form,
        )

    said = _said(send)
    wallet.refresh_from_db()
    return said == {"done": RACERS} and wallet.balance == 15


def decide_together() -> bool:
    """Several people approve one correction: one of them does, the others learn of it."""
    wallet = make_wallet(credits=10)
    correction = corrections.request_correction(
        wallet=wallet,
        action=Correction.Action.GRANT,
        terms=Terms(amount=correction_limit() + 1),
        why=Why(Correction.Reason.GOODWILL),
        user=make_person(),
    )
    people = [make_person() for _ in range(RACERS)]

    def approve(number: int) -> None:
        corrections.approve_correction(correction=correction, user=people[number])

    said = _said(approve)
    posted = CreditTransaction.objects.filter(reference=correction.reference).count()
    return said == {"done": 1, "correction_decided": RACERS - 1} and posted == 1


def freeze_together() -> bool:
    """Several freeze one wallet: it is written down once that it was frozen."""
    wallet = make_wallet(credits=10)

    def freeze(number: int) -> None:
        wallets.change_status(wallet=wallet, reason="fraud", is_frozen=True)

    said = _said(freeze)
    written = AuditLog.objects.filter(object_id=wallet.public_id, action="wallet.status_changed")
    return said == {"done": RACERS} and written.count() == 1


def close_while_somebody_writes() -> bool:
    """A month is closed while a charge of that month has not committed: the close waits."""
    wallet = _old_wallet()
    due = next_period_to_close()
    assert due is not None

    def close() -> str:
        with moved_to(due.ends_at + 2 * HOUR), mock.patch.object(closing, "LOCK_SECONDS", 0.3):
            return _how(lambda: closing.close_month(month=due.first_day))

    with moved_to(due.ends_at - HOUR), transaction.atomic():
        command = Charge(wallet_id=wallet.id, reference="late", source="test", amount=1)
        post_one(command)
        (said,) = at_once([close])
        transaction.set_rollback(True)  # so that the next race finds the month as it was
    return said == "busy"


def sum_one_month_together() -> bool:
    """Several sum up a sealed month: it is summed once, and all are told the same."""
    _old_wallet()
    due = next_period_to_close()
    assert due is not None
    with moved_to(due.ends_at + 2 * HOUR):
        period = closing.seal_month(month=due.first_day)

    said = _said(lambda number: closing.sum_month(period=period))

    return said == {"done": RACERS} and ClosedTotals.objects.filter(period=period).count() == 1


def charge_while_a_budget_is_made() -> bool:
    """Charge between the first count and its commit: the charge must wait, and count."""
    wallet = make_wallet(credits=10)
    counted, charged = Event(), Event()
    mark = budgets._mark

    def be_slow(*what) -> None:
        counted.set()
        wait_until_awaited(charged)
        mark(*what)

    def charge() -> None:
        assert counted.wait(60)
        try:
            charge_amount(wallet=wallet, amount=10, reference="late", source="test")
        finally:
            charged.set()

    with mock.patch.object(budgets, "_mark", be_slow):
        at_once([lambda: budgets.create_budget(wallet=wallet, monthly_limit=10), charge])
    month = BudgetMonth.objects.select_related("budget").get(budget__wallet=wallet)
    budgets.change_budget(budget=month.budget, is_active=False)  # a wrong count is not verified
    return month.used == 10


def charge_while_a_plan_is_swapped() -> bool:
    """Charge between the look at the old plan's credits and their taking: the charge must wait."""
    wallet = make_wallet(credits=10)
    lots = list(Lot.objects.filter(wallet=wallet))
    looked, charged = Event(), Event()
    preview = plan_changes.preview_swap

    def be_slow(**what) -> plan_changes.Swap:
        looked.set()
        wait_until_awaited(charged)
        return preview(**what)

    def swap() -> None:
        plan_changes.swap_allowance(
            wallet=wallet,
            lots=lots,
            share=plan_changes.Share(1, 1),
            former=10,
            allowance=20,
            expires_at=database_now() + DAY,
            reference="swap",
            source="test",
            source_id="test",
        )

    def charge() -> None:
        assert looked.wait(60)
        try:
            charge_amount(wallet=wallet, amount=10, reference="late", source="test")
        finally:
            charged.set()

    with mock.patch.object(plan_changes, "preview_swap", be_slow):
        return at_once([lambda: _how(swap), lambda: _how(charge)]) == ["done", "done"]


def _old_wallet() -> Wallet:
    """Return a wallet with credits from before any month that is closed, the same each time."""
    if known := CreditTransaction.objects.order_by("id").first():
        return known.wallet
    return make_wallet(credits=10)


def _said(work: Callable[[int], object]) -> Counter[str]:
    """Let the racers do it at once, each with his number, and count how it went."""
    works = [lambda number=number: _how(lambda: work(number)) for number in range(RACERS)]
    return Counter(at_once(works))


def _how(work: Callable[[], object]) -> str:
    try:
        work()
    except DomainError as refusal:
        return refusal.code
    except DatabaseError:
        return "error"
    return "done"
