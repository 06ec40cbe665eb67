"""Credits that were handed on and go back to where they came from, if they are not used."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import ids
from apps.core.clock import moved_to
from apps.core.errors import DomainError, NotFound
from apps.core.invariants import all_invariants, verify
from apps.credits import selectors
from apps.credits.errors import (
    InsufficientCredits,
    InvalidAmount,
    InvalidTerms,
    LotDoesNotReturn,
    LotHasLess,
    LotNotFound,
    PreviewOutdated,
    ReferenceReused,
)
from apps.credits.ledger.commands import ChangeExpiry, Void
from apps.credits.ledger.posting import post_one
from apps.credits.ledger.rules import recalling
from apps.credits.ledger.state import LotState
from apps.credits.models import CreditTransaction, Hold, Lot, Wallet
from apps.credits.services import DRY_RUN, Mode, clawbacks
from apps.credits.services.charges import charge_amount, refund_charge
from apps.credits.services.clawbacks import claw_back, freeze_lot
from apps.credits.services.expiry import sweep_expired_lots
from apps.credits.services.expiry_warnings import write_warnings
from apps.credits.services.grants import grant_credits
from apps.credits.services.holds import hold_amount, release_hold
from apps.credits.services.lending import lock_lent
from apps.credits.services.organizations import close_wallets, reopen_wallets
from apps.credits.services.transfers import (
    RecallRequest,
    TransferRequest,
    recall_credits,
    recall_many,
    transfer_credits,
    transfer_many,
)
from apps.credits.services.wallets import change_status, set_credit_line
from apps.tenants.models import AuditLog
from tests.credits.forging import silenced
from tests.people import make_organization

DAY = timedelta(days=1)
ABOUT = {"source": "test"}


def open_wallet(organization):
    return Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def pool(wallet):
    return wallet


@pytest.fixture
def origin(grant):
    """The pool's lot, which has no end."""
    return grant(100)


@pytest.fixture
def member(organization):
    return open_wallet(organization)


@pytest.fixture
def hand_on(pool, member, origin):
    """Give the member credits that return, 40 unless said otherwise, and return their lots."""

    def hand_on(amount=40, reference="award:1", to=member, **terms):
        terms = {"returns": True, **terms}
        transfer_credits(
            wallet=pool, target=to, amount=amount, reference=reference, **ABOUT, **terms
        )
        return list(
            Lot.objects.filter(wallet=to, origin__startswith=f"{reference}:").order_by("id")
        )

    return hand_on


@pytest.fixture
def recall(pool, member):
    """Recall lots of the member to the pool."""

    def recall(lots, reference="recall:1", wallet=member, **terms):
        terms = {"target": pool, **terms}
        lot_ids = [lot.id for lot in lots]
        return recall_credits(wallet=wallet, lot_ids=lot_ids, reference=reference, **ABOUT, **terms)

    return recall


def charge(wallet, amount, reference="job:1"):
    charge_amount(wallet=wallet, amount=amount, reference=reference, **ABOUT)


@transaction.atomic
def redate(lot, expires_at, reference):
    cause = {"wallet_id": lot.wallet_id, "reference": reference, **ABOUT}
    post_one(ChangeExpiry(**cause, lot_id=lot.id, expires_at=expires_at))
    return Lot.objects.get(wallet=lot.wallet_id, origin=reference)


def rests(*lots):
    left = dict(Lot.objects.values_list("pk", "remaining"))
    return tuple(left[lot.pk] for lot in lots)


def available(wallet):
    return selectors.balance_of(wallet).available


class TestHandingOn:
    def test_names_the_lot_that_credits_came_from(self, hand_on, origin, now):
        (lot,) = hand_on(kind=Lot.Kind.PARTNER, expires_at=now + DAY)

        assert (lot.returns_to, lot.remaining, lot.expires_at) == (origin, 40, now + DAY)
        assert rests(origin) == (60,)

    def test_does_not_unless_it_is_asked_to(self, hand_on):
        (lot,) = hand_on(returns=False)

        assert lot.returns_to is None

    def test_is_not_done_with_what_returns_itself(self, organization, hand_on, member):
        hand_on()

        with pytest.raises(InsufficientCredits):
            transfer_credits(
                wallet=member,
                target=open_wallet(organization),
                amount=1,
                reference="on",
                **ABOUT,
            )

    def test_is_refused_to_another_organization(self, hand_on):
        with pytest.raises(InvalidTerms):
            hand_on(to=open_wallet(make_organization(name="Other")))

    def test_is_something_else_if_it_does_not_return(self, hand_on):
        hand_on()
        hand_on()

        with pytest.raises(ReferenceReused):
            hand_on(returns=False)


class TestPastItsDate:
    @pytest.fixture
    def lot(self, hand_on, now):
        (lot,) = hand_on(expires_at=now + DAY)
        return lot

    def test_nothing_is_written_off(self, member, lot, now):
        with moved_to(now + 2 * DAY):
            assert sweep_expired_lots(dry_run=True).credits == 0
            swept = sweep_expired_lots()
            with pytest.raises(InsufficientCredits):
                charge(member, 1)

            assert (swept.wallets, swept.has_more) == (0, False)
            assert rests(lot) == (40,)
            assert available(member) == 0
            assert selectors.explain_balance(member).amount == 0
            (beside,) = selectors.explain_balance(member).beside
            assert beside.note == "is past its date and goes back to where it came from"

    def test_it_goes_back_whole(self, recall, lot, origin, now):
        with moved_to(now + 2 * DAY):
            assert recall([lot]).amount == -40

        assert rests(lot, origin) == (0, 100)

    def test_it_has_no_other_date_any_more(self, lot, now):
        with moved_to(now + 2 * DAY), pytest.raises(LotHasLess):
            redate(lot, now + 9 * DAY, "longer")

    def test_nobody_is_warned_of_it(self, lot, now):
        with moved_to(now + 12 * timedelta(hours=1)):
            assert write_warnings() == 0

    def test_what_was_held_comes_back_and_waits(self, member, hand_on, recall, origin, now):
        (lot,) = hand_on(expires_at=now + DAY / 4)
        hold_amount(wallet=member, amount=10, reference="job:1", ttl=DAY, **ABOUT)
        with moved_to(now + DAY / 2):
            assert recall([lot]).amount == -30
            release_hold(hold=Hold.objects.get(reference="job:1"), **ABOUT)
            assert rests(lot, origin) == (10, 90)
            assert recall([lot], "recall:2").amount == -10

        assert rests(lot, origin) == (0, 100)

    @pytest.mark.parametrize(("is_our_fault", "at_once"), [(False, 25), (True, 0)])
    def test_what_is_refunded_goes_back_or_lives_a_week(
        self, member, recall, lot, origin, now, is_our_fault, at_once
    ):
        charge(member, 25)
        with moved_to(now + 2 * DAY):
            recall([lot])
            refund_charge(
                wallet=member,
                charge_reference="job:1",
                reference="back:1",
                is_our_fault=is_our_fault,
                **ABOUT,
            )
            assert (available(member), rests(lot)) == (25 - at_once, (at_once,))
        heirs = list(Lot.objects.filter(heir_of=lot))
        assert [one.returns_to for one in heirs] == ([origin] if is_our_fault else [])

        with moved_to(now + 20 * DAY):
            recall([lot, *heirs], "recall:2")
        assert rests(origin) == (100,)

    def test_what_does_not_return_expires_as_ever(self, hand_on, member, now):
        (lot,) = hand_on(expires_at=now + DAY, reference="lapsing", returns=False)

        with moved_to(now + 2 * DAY):
            assert sweep_expired_lots().credits == 40
        assert rests(lot) == (0,)


class TestRecall:
    def test_gives_back_to_the_lots_that_it_came_from(self, hand_on, recall, grant, origin, now):
        ending = grant(30, reference="payment:2", expires_at=now + 30 * DAY)
        lots = hand_on(70)  # all of what ends, and 40 of the other
        assert rests(ending, origin) == (0, 60)

        outcome = recall(lots)

        assert rests(ending, origin, *lots) == (30, 100, 0, 0)
        assert outcome.amount == -70
        assert {one.transaction_type for one in outcome.entries} == {
            "transferred_out",
            "transferred_in",
        }

    def test_leaves_what_was_used_and_what_is_held(self, member, hand_on, recall, origin):
        (lot,) = hand_on()
        charge(member, 5)
        hold_amount(wallet=member, amount=10, reference="held", **ABOUT)

        assert recall([lot]).amount == -25
        assert rests(lot, origin) == (0, 85)

    def test_takes_a_part_from_what_would_have_burned_last(self, hand_on, recall, origin, now):
        (sooner,) = hand_on(10, "award:1", expires_at=now + DAY)
        (later,) = hand_on(10, "award:2", expires_at=now + 2 * DAY)

        recall([sooner, later], amount=12)

        assert rests(sooner, later, origin) == (8, 0, 92)
        assert CreditTransaction.objects.filter(lot=origin, reference="recall:1").count() == 1

    def test_expires_at_once_where_the_lot_has_died(self, hand_on, recall, grant, pool, now):
        dying = grant(30, reference="payment:2", expires_at=now + DAY)
        (lot,) = hand_on(30)

        with moved_to(now + 2 * DAY):
            recall([lot])

        assert rests(dying, lot) == (0, 0)
        moves = CreditTransaction.objects.filter(lot=dying).order_by("sequence")
        assert [(one.transaction_type, one.amount) for one in moves][-2:] == [
            ("transferred_in", 30),
            ("expired", -30),
        ]

    def test_repays_what_the_pool_owes(self, pool, hand_on, recall, origin):
        (lot,) = hand_on()
        set_credit_line(wallet=pool, limit=50, reason="Test")
        charge(pool, 90)

        recall([lot])

        assert rests(origin) == (10,)
        assert selectors.balance_of(pool).debt == 0

    def test_of_nothing_is_no_error_and_leaves_no_trace(self, member, hand_on, recall):
        (lot,) = hand_on()
        charge(member, 40)

        assert recall([lot]).entries == ()
        assert recall([], "recall:2").entries == ()
        assert not CreditTransaction.objects.filter(reference__startswith="recall").exists()
        assert not AuditLog.objects.filter(action="credits.recalled").exists()

    def test_is_done_once(self, hand_on, recall, origin):
        (lot,) = hand_on()
        first = recall([lot], amount=15)
        audited = AuditLog.objects.filter(action="credits.recalled")

        for amount in (15, None):
            again = recall([lot], amount=amount)
            assert (again.is_replayed, again.amount) == (True, first.amount)
        assert rests(lot, origin) == (25, 75)
        assert audited.count() == 1

    def test_refuses_a_reference_that_means_something_else(self, pool, hand_on, recall):
        (lot,) = hand_on()
        (other,) = hand_on(5, "award:2")
        recall([lot], amount=15)

        with pytest.raises(ReferenceReused):
            recall([lot], amount=14)
        with pytest.raises(ReferenceReused):
            recall([other])
        with pytest.raises(ReferenceReused):
            recall([lot], "award:1")
        with pytest.raises(ReferenceReused):
            transfer_credits(
                wallet=lot.wallet, target=pool, amount=15, reference="recall:1", **ABOUT
            )

    def test_refuses_what_cannot_be(self, organization, pool, member, hand_on, recall, origin):
        (lot,) = hand_on()
        (lapsing,) = hand_on(5, "award:2", returns=False)
        elsewhere = open_wallet(organization)

        with pytest.raises(InvalidTerms):
            recall([lot], target=member)
        with pytest.raises(LotNotFound):
            recall([origin])
        with pytest.raises(LotDoesNotReturn):
            recall([lapsing])
        with pytest.raises(LotDoesNotReturn):
            recall([lot], target=elsewhere)
        with pytest.raises(LotHasLess):
            recall([lot], amount=41)
        with pytest.raises(InvalidAmount):
            recall([lot], amount=0)
        assert rests(lot, lapsing, origin) == (40, 5, 55)

    @pytest.mark.parametrize("status", ["is_frozen", "is_closed"])
    def test_is_done_whatever_the_wallets_are(self, pool, member, hand_on, recall, origin, status):
        (lot,) = hand_on()
        for wallet in (pool, member):
            change_status(wallet=wallet, reason="Test", **{status: True})

        recall([lot])

        assert rests(lot, origin) == (0, 100)

    def test_is_not_stopped_by_a_frozen_lot(self, hand_on, recall, origin):
        (lot,) = hand_on()
        freeze_lot(lot=lot, is_frozen=True, reference="dispute:1", **ABOUT)
        freeze_lot(lot=origin, is_frozen=True, reference="dispute:2", **ABOUT)

        recall([lot])

        assert rests(lot, origin) == (0, 100)
        assert available(origin.wallet) == 0

    def test_fits_even_if_the_money_of_the_rest_went_back(self, hand_on, recall, origin):
        (lot,) = hand_on()
        claw_back(lot=origin, amount=60, reference="refund:re_1", **ABOUT)

        recall([lot])

        assert rests(origin) == (40,)

    def test_of_what_was_lent_is_not_called_in_for_what_another_has_just_taken(
        self, hand_on, origin, monkeypatch
    ):
        (lot,) = hand_on()
        back = {"lot": origin, "amount": 60, "reference": "refund:re_1", **ABOUT}

        def locked_once_another_was_done(asked):
            monkeypatch.setattr(clawbacks, "lock_lent", lock_lent)
            claw_back(**back)
            return lock_lent(asked)

        monkeypatch.setattr(clawbacks, "lock_lent", locked_once_another_was_done)
        assert claw_back(**back).is_replayed

        assert rests(lot, origin) == (40, 0)

    def test_reaches_what_was_given_another_date(self, hand_on, recall, origin, now):
        (lot,) = hand_on(expires_at=now + DAY)
        heir = redate(lot, now + 9 * DAY, "longer")
        assert heir.returns_to == origin

        recall([lot, heir])

        assert rests(lot, heir, origin) == (0, 0, 100)

    def test_can_be_tried_before(self, member, hand_on, recall, origin):
        (lot,) = hand_on()

        shown = recall([lot], mode=DRY_RUN)
        assert (shown.amount, rests(lot, origin)) == (-40, (40, 60))
        charge(member, 1)
        with pytest.raises(PreviewOutdated):
            recall([lot], mode=Mode(preview_token=shown.preview_token))
        again = recall([lot], mode=DRY_RUN)
        recall([lot], mode=Mode(preview_token=again.preview_token))

        assert rests(lot, origin) == (0, 99)


class TestAVoid:
    def test_lets_unused_credits_lapse_instead(self, member, hand_on, origin):
        (lot,) = hand_on()
        charge(member, 5)

        with transaction.atomic():
            cause = {"wallet_id": member.id, "reference": "revoke:1", **ABOUT}
            post_one(Void(**cause, lot_id=lot.id))

        assert rests(lot, origin) == (0, 60)


class TestAClosedOrganization:
    def test_keeps_what_was_handed_on_until_it_is_open_again(
        self, organization, member, hand_on, recall, origin, now
    ):
        (lot,) = hand_on(expires_at=now + DAY)
        close_wallets(organization=organization)

        assert rests(lot, origin) == (40, 60)
        reopen_wallets(organization=organization, closed_at=now)
        charge(member, 5)
        close_wallets(organization=organization)
        with moved_to(now + 2 * DAY):
            recall([lot])
        assert rests(lot, origin) == (0, 95)


class TestMany:
    @pytest.fixture
    def members(self, organization):
        return [open_wallet(organization) for _ in range(6)]

    def test_are_handed_on_and_recalled_in_order(self, pool, members, origin):
        given = transfer_many(
            wallet=pool,
            requests=[
                TransferRequest(
                    target_id=one.id, amount=amount, reference=f"award:{one.id}", returns=True
                )
                for one, amount in zip(members, (10, 20, 200, 30, 0, 40), strict=True)
            ],
            **ABOUT,
        )
        codes = [one.code if isinstance(one, DomainError) else one.amount for one in given]
        assert codes == [-10, -20, "insufficient_credits", -30, "invalid_amount", -40]
        assert [available(one) for one in members] == [10, 20, 0, 30, 0, 40]

        requests = [
            RecallRequest(
                wallet_id=one.id,
                lot_ids=Lot.objects.filter(wallet=one).values_list("id", flat=True),
                reference=f"recall:{one.id}",
            )
            for one in members
        ]
        taken = recall_many(target=pool, requests=requests, **ABOUT)
        again = recall_many(target=pool, requests=requests, **ABOUT)

        assert [one.amount for one in taken] == [-10, -20, 0, -30, 0, -40]
        assert [one.amount for one in again] == [one.amount for one in taken]
        assert rests(origin) == (100,)
        many = AuditLog.objects.filter(action__endswith="_many").order_by("created_at")
        assert [(one.action, one.after) for one in many] == [
            ("credits.transferred_many", {"operations": 4, "amount": 100, "refused": 2}),
            ("credits.recalled_many", {"operations": 4, "amount": 100, "refused": 0}),
        ]

    def test_are_none_if_none_are_asked_for(self, pool):
        assert transfer_many(wallet=pool, requests=[], **ABOUT) == []
        assert recall_many(target=pool, requests=[], **ABOUT) == []

    def test_are_not_done_with_an_unknown_wallet(self, pool, members, origin):
        with pytest.raises(NotFound):
            transfer_many(
                wallet=pool,
                requests=[
                    TransferRequest(target_id=one, amount=1, reference=f"award:{one}")
                    for one in (members[0].id, ids.new_id())
                ],
                **ABOUT,
            )
        assert available(members[0]) == 0

    def test_ask_as_often_as_one(self, pool, members, origin):
        def hand_on(wallets, name):
            requests = [
                TransferRequest(
                    target_id=one.id, amount=1, reference=f"{name}:{one.id}", returns=True
                )
                for one in wallets
            ]
            transfer_many(wallet=pool, requests=requests, **ABOUT)

        hand_on(members[:1], "first")  # which reads the organization
        with CaptureQueriesContext(connection) as one:
            hand_on(members[:1], "second")
        with CaptureQueriesContext(connection) as many:
            hand_on(members, "third")

        assert len(many) == len(one)


class TestTheDatabase:
    def forged(self, sql, *values):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(sql, values)
            transaction.set_rollback(True)

    def test_keeps_where_a_lot_returns_to(self, hand_on, grant):
        (lot,) = hand_on()
        other = grant(5, reference="payment:2")

        for wrong in (None, other.id):
            with pytest.raises(IntegrityError):
                self.forged(
                    "UPDATE credits_lot SET returns_to_id = %s WHERE id = %s", wrong, lot.id
                )

    def test_lets_nothing_be_written_off(self, member, hand_on, now, monkeypatch):
        hand_on(expires_at=now + DAY)
        monkeypatch.setattr(LotState, "has_lapsed", LotState.is_expired)

        with moved_to(now + 2 * DAY), pytest.raises(IntegrityError, match="does not fit its lot"):
            grant_credits(wallet=member, amount=1, kind=Lot.Kind.TRIAL, reference="trial", **ABOUT)

    def test_lets_nothing_go_elsewhere(self, pool, member, hand_on, recall, grant, monkeypatch):
        (lot,) = hand_on()
        other = grant(100, reference="payment:2")
        charge(pool, 160)

        def put_into_another(book, target, command, sent):
            there = book.state.lots[target.id]
            there[other.id] = replace(there[lot.returns_to_id], id=other.id, remaining=0)
            return [book.move(target, there[other.id], "transferred_in", 40, command)]

        monkeypatch.setattr(recalling, "_put_back", put_into_another)
        with pytest.raises(IntegrityError, match="has not arrived there"):
            recall([lot])


class TestTheInvariants:
    def broken(self, code, sql, *values):
        with transaction.atomic():
            with silenced(), connection.cursor() as cursor:
                cursor.execute(sql, values)
            ours = [one for one in all_invariants() if one.code == code]
            (finding,) = verify(ours)
            transaction.set_rollback(True)
        return finding.failures

    def test_see_a_lot_that_returns_to_its_own_wallet(self, hand_on):
        (lot,) = hand_on()

        sql = "UPDATE credits_lot SET returns_to_id = id WHERE id = %s"
        assert self.broken("L16", sql, lot.id) == 1

    def test_see_what_was_recalled_and_went_elsewhere(self, hand_on, recall, grant):
        (lot,) = hand_on()
        recall([lot])
        other = grant(5, reference="payment:2")

        sql = "UPDATE credits_lot SET returns_to_id = %s WHERE id = %s"
        assert self.broken("L17", sql, other.id, lot.id) == 1

    def test_see_what_nobody_recalls(self, hand_on, now):
        (lot,) = hand_on(expires_at=now + DAY)

        sql = (
            "UPDATE credits_lot SET effective_at = now() - interval '1 day',"
            " expires_at = now() - make_interval(mins => %s) WHERE id = %s"
        )
        assert self.broken("L18", sql, 59, lot.id) == 0
        assert self.broken("L18", sql, 61, lot.id) == 1
