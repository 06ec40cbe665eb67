"""Credits that change their lot stay in reach: what becomes of the money, becomes of the heirs."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.core.clock import moved_to
from apps.core.invariants import all_invariants, verify
from apps.credits.errors import InsufficientCredits, ReferenceReused
from apps.credits.ledger.commands import ChangeExpiry
from apps.credits.ledger.posting import post_one
from apps.credits.models import CreditTransaction, Lot
from apps.credits.selectors.lots import heirs_of
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.clawbacks import claw_back, clawbacks_of, freeze_lot, reinstate
from apps.credits.services.wallets import set_credit_line

DAY = timedelta(days=1)
MIGRATIONS = Path("apps/credits/migrations")
ABOUT = {"source": "test"}


def charge(wallet, amount, reference="job:1"):
    charge_amount(wallet=wallet, amount=amount, reference=reference, **ABOUT)


def fail(wallet, reference="job:1"):
    """Give a charge back by our failure."""
    refund_charge(
        wallet=wallet,
        charge_reference=reference,
        reference=f"back:{reference}",
        is_our_fault=True,
        **ABOUT,
    )


@transaction.atomic
def redate(lot, expires_at, reference):
    post_one(
        ChangeExpiry(
            wallet_id=lot.wallet_id,
            lot_id=lot.id,
            expires_at=expires_at,
            reference=reference,
            **ABOUT,
        )
    )
    return Lot.objects.get(wallet=lot.wallet_id, origin=reference)


def take(lot, amount, reference="refund:re_1"):
    return claw_back(lot=lot, amount=amount, reference=reference, **ABOUT).amount


def freeze(lot, is_frozen=True):
    freeze_lot(lot=lot, is_frozen=is_frozen, reference="dispute:dp_1", **ABOUT)


def rests(*lots):
    left = dict(Lot.objects.values_list("pk", "remaining"))
    return tuple(left[lot.pk] for lot in lots)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def lot(grant, now):
    return grant(100, expires_at=now + DAY)


@pytest.fixture
def heir(wallet, lot, now):
    """Return the grace lot of 30 that a failed job got, after its own lot had expired."""
    charge(wallet, 30)
    with moved_to(now + 2 * DAY):
        fail(wallet)
    return Lot.objects.get(origin__startswith="grace:")


class TestAnHeir:
    def test_is_what_a_failed_job_gets_after_the_end_of_its_lot(self, lot, heir):
        assert heir.heir_of == lot
        assert list(heirs_of([lot])) == [heir]

    def test_is_what_has_another_date_and_always_of_the_first(self, wallet, lot, now):
        second = redate(lot, now + 2 * DAY, "longer:1")
        third = redate(second, now + 3 * DAY, "longer:2")
        charge(wallet, 10)
        with moved_to(now + 4 * DAY):
            fail(wallet)

        assert set(heirs_of([lot])) == {second, third, Lot.objects.get(origin__startswith="grace:")}
        assert not heirs_of([second]).exists()

    def test_is_none_of_what_a_debt_gives_back(self, wallet, grant):
        set_credit_line(wallet=wallet, limit=50, reason="Test")
        charge(wallet, 20)
        grant(100)

        fail(wallet)

        assert Lot.objects.get(origin__startswith="grace:").heir_of is None

    def test_never_changes_whose_it_is(self, lot, heir):
        with pytest.raises(IntegrityError), transaction.atomic():
            Lot.objects.filter(pk=heir.pk).update(heir_of=None)


class TestClawBack:
    def test_takes_what_came_back_after_the_end(self, lot, heir, now):
        with moved_to(now + 3 * DAY):
            assert take(lot, 100) == -30

        assert rests(lot, heir) == (0, 0)

    def test_takes_what_has_another_date_and_no_other_lots(self, grant, lot, now):
        other = grant(50, reference="payment:2")
        heir = redate(lot, now + 9 * DAY, "longer:1")

        assert take(lot, 60) == -60

        assert rests(lot, heir, other) == (0, 40, 50)

    def test_takes_from_several_under_one_cause_and_once(self, wallet, grant, lot, heir, now):
        with moved_to(now + 3 * DAY):
            longer = redate(heir, None, "longer:1")
            charge(wallet, 10, "job:2")
            assert take(lot, 5) == -5
            assert take(lot, 100, "refund:re_2") == -15
            assert take(lot, 100, "refund:re_2") == -15
            with pytest.raises(ReferenceReused):
                take(lot, 14, "refund:re_2")
            with pytest.raises(ReferenceReused):
                take(grant(50, reference="payment:2"), 15, "refund:re_2")

        assert rests(lot, heir, longer) == (0, 0, 0)
        assert clawbacks_of(lot) == ["refund:re_1", "refund:re_2"]

    def test_is_given_back_to_the_lots_that_it_was_taken_from(self, lot, now):
        take(lot, 20)
        heir = redate(lot, now + 9 * DAY, "longer:1")
        take(lot, 80, "refund:re_2")

        given = reinstate(lot=lot, amount=90, reference="back", **ABOUT)

        assert given.amount == 90
        assert rests(lot, heir) == (10, 80)
        assert reinstate(lot=lot, amount=90, reference="back", **ABOUT).is_replayed
        parts = CreditTransaction.objects.filter(reference="back").order_by("sequence")
        assert [one.lot_id for one in parts] == [heir.pk, lot.pk]


class TestAFreeze:
    def test_reaches_what_has_another_date_even_if_nothing_is_in_it(self, wallet, lot, now):
        heir = redate(lot, now + 9 * DAY, "longer:1")
        charge(wallet, 100)
        freeze(lot)
        fail(wallet)

        assert rests(heir) == (100,)
        with pytest.raises(InsufficientCredits):
            charge(wallet, 1, "job:2")
        freeze(lot, is_frozen=False)
        charge(wallet, 100, "job:2")

    def test_holds_what_comes_back_after_the_end(self, wallet, lot, now):
        charge(wallet, 30)
        freeze(lot)

        with moved_to(now + 2 * DAY):
            fail(wallet)
            with pytest.raises(InsufficientCredits):
                charge(wallet, 1, "job:2")
            freeze(lot, is_frozen=False)
            charge(wallet, 30, "job:2")


class TestTheMigration:
    def test_finds_the_heirs_of_lots_that_were_made_before(self, wallet, grant, lot, now):
        second = redate(lot, now + 2 * DAY, "longer:1")
        charge(wallet, 10)
        other = grant(5, reference="payment:2")
        with moved_to(now + 3 * DAY):
            fail(wallet)
            grace = Lot.objects.get(origin__startswith="grace:")
            redate(grace, None, "longer:2")
        said = dict(Lot.objects.values_list("pk", "heir_of"))
        assert set(said.values()) == {None, lot.pk}
        assert said[second.pk] == said[grace.pk] == lot.pk
        assert said[other.pk] is None

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute((MIGRATIONS / "0021_heirs_reverse.sql").read_text())
            cursor.execute("UPDATE credits_lot SET heir_of_id = NULL")
            cursor.execute("UPDATE credits_lot SET frozen_at = now() WHERE id = %s", [lot.pk])
            cursor.execute((MIGRATIONS / "0021_heirs.sql").read_text())

        assert dict(Lot.objects.values_list("pk", "heir_of")) == said
        frozen = set(Lot.objects.exclude(frozen_at=None).values_list("pk", flat=True))
        assert frozen == {pk for pk, heir_of in said.items() if lot.pk in (pk, heir_of)}


class TestTheInvariant:
    def test_sees_an_heir_of_another_lot(self, grant, lot, heir):
        other = grant(5, reference="payment:2")
        ours = [one for one in all_invariants() if one.code == "L14"]

        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("DROP TRIGGER credits_terms_of_a_lot_are_fixed ON credits_lot")
            cursor.execute(
                "UPDATE credits_lot SET heir_of_id = %s WHERE id = %s", [other.pk, heir.pk]
            )
            broken = [finding.failures for finding in verify(ours)]
            transaction.set_rollback(True)

        assert broken == [1]
