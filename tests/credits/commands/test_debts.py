"""A credit line: what is owed, and how it is repaid."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.clock import moved_to
from apps.credits import selectors
from apps.credits.errors import InsufficientCredits, InvalidTerms, WalletInDebt
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.wallets import change_status, set_credit_line
from apps.tenants.models import AuditLog

DAY = timedelta(days=1)


@pytest.fixture
def wallet(wallet):
    set_credit_line(wallet=wallet, limit=50, reason="Contract")
    return wallet


def charge(wallet, amount, reference="job:1"):
    return charge_amount(wallet=wallet, amount=amount, reference=reference, source="test")


def balance(wallet) -> int:
    return Wallet.objects.get(pk=wallet.pk).balance


class TestOwing:
    def test_begins_where_the_lots_end(self, wallet, grant):
        grant(30)

        charge(wallet, 70)

        debt = Lot.objects.get(kind="debt")
        assert (debt.granted, debt.remaining, balance(wallet)) == (-40, -40, -40)
        assert selectors.balance_of(wallet).debt == 40

    def test_ends_at_the_limit(self, wallet, grant):
        grant(30)

        with pytest.raises(InsufficientCredits) as refusal:
            charge(wallet, 81)

        assert refusal.value.details["available"] == 80
        assert balance(wallet) == 30

    def test_counts_what_is_owed_already(self, wallet):
        charge(wallet, 40)

        with pytest.raises(InsufficientCredits):
            charge(wallet, 11, "job:2")

        charge(wallet, 10, "job:2")
        assert balance(wallet) == -50

    def test_is_done_once_for_a_reference(self, wallet):
        charge(wallet, 40)

        assert charge(wallet, 40).is_replayed
        assert balance(wallet) == -40


class TestRepaying:
    def test_comes_before_anything_can_be_spent(self, wallet, grant):
        charge(wallet, 40)

        lot = grant(100)

        assert lot.remaining == 60
        assert selectors.balance_of(wallet).available == 60
        assert Lot.objects.get(kind="debt").remaining == 0

    def test_takes_the_oldest_debt_first(self, wallet, grant):
        charge(wallet, 20, "job:1")
        charge(wallet, 20, "job:2")

        grant(30)

        debts = Lot.objects.filter(kind="debt").order_by("effective_at", "id")
        assert [debt.remaining for debt in debts] == [0, -10]

    def test_leaves_lots_alone_that_are_for_certain_events(self, wallet, grant):
        charge(wallet, 40)

        lot = grant(100, features=("render",))

        assert lot.remaining == 100
        assert selectors.balance_of(wallet).debt == 40

    def test_waits_for_a_lot_until_it_is_valid(self, wallet, grant):
        now = timezone.now()
        with moved_to(now):
            charge(wallet, 40)
            lot = grant(100, effective_at=now + DAY)
            assert lot.remaining == 100
        with moved_to(now + DAY):
            charge(wallet, 1, "job:2")

        lot.refresh_from_db()
        assert lot.remaining == 59


class TestRefunding:
    def test_lowers_what_is_owed_first(self, wallet, grant):
        grant(30)
        charge(wallet, 70)

        refund_charge(
            wallet=wallet, charge_reference="job:1", reference="r:1", source="test", amount=50
        )

        assert Lot.objects.get(kind="debt").remaining == 0
        assert Lot.objects.get(origin="payment:1").remaining == 10

    def test_gives_what_was_repaid_meanwhile_back_as_credits(self, wallet, grant):
        charge(wallet, 40)
        grant(100)

        refund_charge(wallet=wallet, charge_reference="job:1", reference="r:1", source="test")

        back = Lot.objects.exclude(kind="debt").get(origin__startswith="grace:")
        assert (back.kind, back.remaining, back.expires_at) == ("adjustment", 40, None)
        assert balance(wallet) == 100

    def test_of_one_charge_repays_the_debt_of_another(self, wallet, grant):
        grant(30)
        charge(wallet, 30, "job:1")
        charge(wallet, 20, "job:2")

        refund_charge(wallet=wallet, charge_reference="job:1", reference="r:1", source="test")

        assert Lot.objects.get(kind="debt").remaining == 0
        assert balance(wallet) == 10


class TestTheLine:
    def test_is_audited(self, wallet):
        row = AuditLog.objects.get(action="wallet.credit_line_set")

        assert (row.before["credit_line"], row.after["credit_line"]) == (0, 50)

    def test_cannot_be_less_than_what_is_owed(self, wallet):
        charge(wallet, 40)

        with pytest.raises(WalletInDebt):
            set_credit_line(wallet=wallet, limit=39, reason="Test")

    def test_cannot_be_less_than_nothing(self, wallet):
        with pytest.raises(InvalidTerms):
            set_credit_line(wallet=wallet, limit=-1, reason="Test")

    def test_keeps_a_wallet_from_being_closed_while_it_owes(self, wallet):
        charge(wallet, 40)

        with pytest.raises(WalletInDebt):
            change_status(wallet=wallet, is_closed=True, reason="Test")

    def test_writes_every_repayment_on_both_sides(self, wallet, grant):
        charge(wallet, 40)
        grant(100)

        repaid = CreditTransaction.objects.filter(transaction_type="repaid")
        assert sorted(entry.amount for entry in repaid) == [-40, 40]
