"""The sweep of what has expired, by four workers at once, while others spend."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.core.invariants import verify
from apps.credits import selectors
from apps.credits.ledger.commands import Charge
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction, Lot, Wallet
from apps.credits.services import expiry
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.grants import grant_credits
from tests.people import make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
LATER = timezone.now() + 10 * DAY
WORKERS = 4
LIMIT = 3


@pytest.fixture(autouse=True)
def _nothing_is_broken(settings):
    settings.TRIAL_CREDITS = 0
    before = deadlocks()
    yield
    assert deadlocks() == before
    assert [finding for finding in verify() if finding.failures] == []


@pytest.fixture
def wallets():
    """Ten wallets, each with three lots that are due later, and one that is not."""
    found = [selectors.main_wallet(make_organization()) for _ in range(10)]
    for number, wallet in enumerate(found):
        for lot in range(3):
            give(wallet, f"due:{lot}", 10 + number + lot, expires_at=LATER - (lot + 1) * DAY)
        give(wallet, "lasting", 100, expires_at=LATER + DAY)
    return found


def give(wallet, reference, amount, **terms):
    grant_credits(
        wallet=wallet,
        amount=amount,
        kind=Lot.Kind.PURCHASE,
        reference=reference,
        source="test",
        **terms,
    )


def deadlocks() -> int:
    """Return how many the database has had to break up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def sweep_until_done() -> int:
    """Sweep as the task does; return how many credits were written off."""
    total = 0
    with moved_to(LATER):
        for _ in range(20):
            done = sweep_expired_lots(limit=LIMIT)
            total += done.credits
    return total


def sweep_without_waiting() -> int:
    """Sweep, and fail where a lock would have to be waited for."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '2s'")
    return sweep_until_done()


def spend() -> Counter[str]:
    """Charge every wallet, in an order of its own; whoever charges expires what is due."""
    said = Counter()
    with moved_to(LATER):
        for turn in range(3):
            for wallet in Wallet.objects.order_by("-id"):
                command = Charge(
                    wallet_id=wallet.id, reference=f"job:{turn}", source="test", amount=7
                )
                try:
                    with transaction.atomic():
                        post_one(command)
                except DomainError as refusal:
                    said[refusal.code] += 1
                else:
                    said["done"] += 1
    return said


def expired() -> Counter[str]:
    """Return how often each lot was written off."""
    entries = CreditTransaction.objects.filter(transaction_type="expired")
    return Counter(entries.values_list("lot__origin", flat=True))


class TestFourWorkers:
    def test_expire_each_lot_exactly_once(self, wallets):
        due = sum(Lot.objects.filter(expires_at__lte=LATER).values_list("remaining", flat=True))

        written_off = at_once([sweep_until_done] * WORKERS)

        assert sum(written_off) == due
        assert expired() == {"due:0": 10, "due:1": 10, "due:2": 10}
        lots = CreditTransaction.objects.filter(transaction_type="expired").values_list("lot")
        assert len(set(lots)) == 30
        assert not Lot.objects.filter(expires_at__lte=LATER, remaining__gt=0).exists()
        assert set(Wallet.objects.values_list("balance", flat=True)) == {100}

    def test_do_so_while_others_spend(self, wallets):
        at_once([sweep_until_done] * WORKERS + [spend] * 2)

        lots = CreditTransaction.objects.filter(transaction_type="expired").values_list("lot")
        assert (len(lots), len(set(lots))) == (30, 30)
        charged = CreditTransaction.objects.filter(transaction_type="consumed")
        assert set(charged.values_list("lot__origin", flat=True)) == {"lasting"}
        assert charged.count() == 30  # each of three references once in each wallet
        assert set(Wallet.objects.values_list("balance", flat=True)) == {100 - 3 * 7}

    def test_take_no_more_than_a_batch_at_once(self, wallets, monkeypatch):
        post, taken = expiry.post, []

        def look(commands):
            taken.append([command.wallet_id for command in commands])
            return post(commands)

        monkeypatch.setattr(expiry, "post", look)
        at_once([sweep_until_done] * WORKERS)

        assert max(len(batch) for batch in taken) <= LIMIT
        # A wallet that another worker has just done may be taken once more, for nothing: that
        # it was due is read before its lock is had. TestFourWorkers' first test counts credits.
        assert {wallet for batch in taken for wallet in batch} == {one.pk for one in wallets}

    def test_pass_by_a_wallet_that_somebody_works_on(self, wallets):
        with transaction.atomic():
            Wallet.objects.select_for_update().get(pk=wallets[0].pk)
            (credits,) = at_once([sweep_without_waiting])
            left = Lot.objects.filter(expires_at__lte=LATER, remaining__gt=0)
            assert set(left.values_list("wallet", flat=True)) == {wallets[0].pk}

        assert credits > 0
        assert sweep_until_done() > 0
        assert not left.exists()


class TestADryRun:
    def test_is_what_is_then_done(self, wallets):
        before = list(Lot.objects.order_by("id").values_list("id", "remaining"))
        for _ in range(4):
            with moved_to(LATER):
                said = sweep_expired_lots(limit=LIMIT, dry_run=True)
                done = sweep_expired_lots(limit=LIMIT)

            assert said == done
            assert done.wallets <= LIMIT
        assert done.has_more is False
        assert before != list(Lot.objects.order_by("id").values_list("id", "remaining"))

    def test_writes_nothing(self, wallets):
        before = [
            list(model.objects.order_by("pk").values())
            for model in (Wallet, Lot, CreditTransaction)
        ]

        with moved_to(LATER):
            said = sweep_expired_lots(dry_run=True)

        assert (said.wallets, said.has_more) == (10, False)
        assert said.credits == sum(
            Lot.objects.filter(expires_at__lte=LATER).values_list("remaining", flat=True)
        )
        assert before == [
            list(model.objects.order_by("pk").values())
            for model in (Wallet, Lot, CreditTransaction)
        ]
