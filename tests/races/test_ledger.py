"""The ledger with many at it at once: real connections, real commits."""

import random
from collections import Counter
from datetime import timedelta
from unittest import mock

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.core.invariants import verify
from apps.credits import selectors
from apps.credits.ledger import rows
from apps.credits.ledger.commands import Charge, Command, Grant, Refund
from apps.credits.ledger.posting import post, post_one
from apps.credits.models import CreditTransaction, Wallet
from apps.credits.services.expiry import sweep_expired_lots
from figures.ground_floor import lock_removed
from tests.credits.wallets import make_wallet
from tests.people import make_organization
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 16


def charge(wallet: Wallet, reference: str, amount: int = 1) -> Charge:
    return Charge(wallet_id=wallet.id, reference=reference, source="test", amount=amount)


def say(command: Command) -> str:
    """Carry a command out, and say how it went."""
    try:
        with transaction.atomic():
            outcome = post_one(command)
    except DomainError as refusal:
        return refusal.code
    except DatabaseError:
        return "error"
    return "replayed" if outcome.is_replayed else "done"


def race(commands: list[Command]) -> Counter[str]:
    return Counter(at_once([lambda one=one: say(one) for one in commands]))


def assert_nothing_is_broken() -> None:
    assert [finding for finding in verify() if finding.failures] == []


class TestChargesOnOneWallet:
    def test_are_served_as_far_as_the_credits_go(self):
        wallet = make_wallet(credits=10)

        said = race([charge(wallet, f"race:{number}") for number in range(RACERS)])

        assert said == {"done": 10, "insufficient_credits": RACERS - 10}
        assert_nothing_is_broken()

    def test_with_one_cause_are_one_charge(self):
        wallet = make_wallet(credits=100)

        said = race([charge(wallet, "twin", 7)] * 32)

        assert said == {"done": 1, "replayed": 31}
        assert Wallet.objects.get(pk=wallet.pk).balance == 93

    def test_go_wrong_without_the_lock(self):
        """The control: if this passed, the tests above would prove nothing."""
        wallet = make_wallet(credits=1000)

        with lock_removed():
            said = race([charge(wallet, f"race:{number}") for number in range(RACERS)])

        assert said["error"] > 0  # the database still refused what the lock would have ordered
        assert_nothing_is_broken()


class TestRefundsAtOnce:
    def test_of_one_charge_have_one_effect(self):
        wallet = make_wallet(credits=50)
        say(charge(wallet, "job", 20))
        same = Refund(wallet_id=wallet.id, reference="back", source="test", of="job")

        assert race([same] * RACERS) == {"done": 1, "replayed": RACERS - 1}
        assert Wallet.objects.get(pk=wallet.pk).balance == 50

    def test_under_different_causes_never_exceed_the_charge(self):
        wallet = make_wallet(credits=50)
        say(charge(wallet, "job", 20))
        parts = [
            Refund(wallet_id=wallet.id, reference=f"b:{n}", source="test", of="job", amount=3)
            for n in range(RACERS)
        ]

        assert race(parts) == {"done": 6, "already_refunded": RACERS - 6}
        assert_nothing_is_broken()


class TestWalletsLockedInAnyOrder:
    def test_never_wait_for_each_other_in_a_circle(self):
        wallets = [make_wallet(credits=1000) for _ in range(4)]

        def batch(number: int) -> int:
            mixed = random.Random(number).sample(wallets, 4)
            for turn in range(5):
                with transaction.atomic():
                    post([charge(one, f"b:{number}:{turn}") for one in mixed])
            return number

        done = at_once([lambda number=number: batch(number) for number in range(8)])

        assert sorted(done) == list(range(8))
        assert {Wallet.objects.get(pk=one.pk).balance for one in wallets} == {960}

    def test_are_read_in_id_order(self):
        wallets = [make_wallet(credits=10) for _ in range(5)]
        seen: list[list[object]] = []
        real = rows.lock_wallets

        def spy(cursor, wallet_ids):
            seen.append(list(wallet_ids))
            return real(cursor, wallet_ids)

        with mock.patch.object(rows, "lock_wallets", spy), transaction.atomic():
            post([charge(one, "x") for one in reversed(wallets)])

        assert seen == [sorted(one.id for one in wallets)]


class TestEverythingAtOnce:
    def test_leaves_every_invariant_true(self):
        wallet = make_wallet(credits=300)
        commands: list[Command] = [charge(wallet, f"job:{n}", n % 7 + 1) for n in range(40)]
        commands += [
            Refund(
                wallet_id=wallet.id,
                reference=f"back:{n}",
                source="test",
                of=f"job:{n}",
                is_our_fault=True,
            )
            for n in range(0, 40, 2)
        ]
        commands += [
            Grant(
                wallet_id=wallet.id,
                reference=f"gift:{n}",
                source="test",
                kind="promotional",
                amount=5,
            )
            for n in range(20)
        ]
        random.Random(1).shuffle(commands)
        shares = [commands[number::8] for number in range(8)]

        at_once([lambda share=share: [say(one) for one in share * 2] for share in shares])

        assert_nothing_is_broken()
        used = -sum(
            CreditTransaction.objects.filter(
                transaction_type__in=["consumed", "refunded"]
            ).values_list("amount", flat=True)
        )
        assert Wallet.objects.get(pk=wallet.pk).balance == 300 + 20 * 5 - used

    def test_expires_each_lot_once_whoever_sweeps(self):
        organizations = [make_organization() for _ in range(12)]
        wallets = [selectors.main_wallet(one) for one in organizations]
        later = timezone.now() + timedelta(days=15)

        def sweep() -> int:
            with moved_to(later):
                return sum(sweep_expired_lots(limit=3).wallets for _ in range(8))

        assert sum(at_once([sweep] * 4)) == len(wallets)
        assert CreditTransaction.objects.filter(transaction_type="expired").count() == len(wallets)
        assert_nothing_is_broken()
