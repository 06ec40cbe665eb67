"""Credits that were awarded follow the money that bought them, as those in the pool do."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apps.billing.models import Dispute, Payment, Refund
from apps.billing.selectors.refunds import OWE_USED
from apps.billing.services.reversals import lock_payment, settle_up, take_what_came_back
from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.core.invariants import all_invariants, verify
from apps.credits.ledger.commands import ChangeExpiry, Void
from apps.credits.ledger.posting import DRY_RUN, post_one
from apps.credits.models import CreditTransaction, Hold, Lot
from apps.credits.selectors import main_wallet
from apps.credits.services.clawbacks import claw_back
from apps.credits.services.grants import grant_credits
from apps.credits.services.holds import hold_amount, release_hold
from apps.partners import selectors
from apps.partners.errors import AwardOver
from apps.partners.models import Partner, PartnerCredit, PartnerMember
from apps.partners.selectors import AwardStanding
from apps.partners.selectors.awards import AwardFilter
from apps.partners.selectors.members import offered_to, offers_of
from apps.partners.services.award_mails import letters_of
from apps.partners.services.programmes import Terms
from apps.partners.services.settling import revoke
from apps.partners.services.sweeping import settle_due
from apps.tenants.models import AdminConfig
from tests.partners.awarding import give, in_hand, in_pool, make_active_member, spend
from tests.partners.programme import make_members, make_programme
from tests.people import make_member, signed_in

pytestmark = pytest.mark.django_db
Status = PartnerCredit.Status
OURS = [one for one in all_invariants() if one.code.startswith(("B", "H", "L"))]


@dataclass
class Bought:
    """A programme that has bought 100 credits for 1,000 cents, and nothing else."""

    partner: Partner
    payment: Payment
    member: PartnerMember
    events: int = 0

    def dispute(self, status: str) -> None:
        over = status not in Dispute.OPEN
        Dispute.objects.update_or_create(
            payment=self.payment,
            defaults={
                "organization": self.partner.organization,
                "stripe_dispute_id": "dp_1",
                "amount": self.payment.amount,
                "reason": "fraudulent",
                "status": status,
                "opened_at": timezone.now(),
                "closed_at": timezone.now() if over else None,
            },
        )
        self.follow()

    def refund(self, amount: int) -> None:
        Refund.objects.create(
            organization=self.partner.organization,
            payment=self.payment,
            stripe_refund_id=f"re_{self.events}",
            amount=amount,
            status=Refund.Status.SUCCEEDED,
            told_at=timezone.now(),
        )
        self.follow()

    @transaction.atomic
    def follow(self) -> None:
        self.events += 1
        settle_up(lock_payment(self.payment.pk), cause=f"refund:event_{self.events}")

    @property
    def taken(self) -> tuple[int, int]:
        self.payment.refresh_from_db()
        return self.payment.clawed_back, self.payment.clawed_back_as_debt


def buy(unused: str = "return") -> Bought:
    partner = make_programme(terms=Terms(unused=unused))
    organization = partner.organization
    payment = Payment.objects.create(
        organization=organization,
        purpose=Payment.Purpose.CUSTOM,
        credits=100,
        amount=1000,
        currency="eur",
        status=Payment.Status.SUCCEEDED,
        settled_at=timezone.now(),
        stripe_payment_intent_id="pi_1",
        is_live=False,
    )
    grant_credits(
        wallet=main_wallet(organization),
        amount=100,
        kind=Lot.Kind.PURCHASE,
        reference=payment.reference,
        source=payment.purpose,
        stripe_payment_intent_id="pi_1",
    )
    return Bought(partner, payment, make_active_member(partner))


@transaction.atomic
def hold_of(member: PartnerMember, amount: int) -> Hold:
    """Set some of a member's credits aside."""
    held = hold_amount(
        wallet=member.wallet,
        amount=amount,
        reference="job:1",
        source="test",
        ttl=timedelta(hours=1),
    )
    return Hold.objects.get(pk=held.hold.id)


@pytest.fixture
def bought():
    yield buy()

    assert [one for one in verify(OURS) if one.failures] == []


def page_of(award: PartnerCredit) -> str:
    """Return the partner's page of an award, as its owner reads it."""
    owner = make_member(award.organization, "owner")
    here = reverse("partners:award", args=[award.organization.slug, award.public_id])
    page: str = signed_in(owner).get(here).content.decode()
    return page


@pytest.fixture
def owing():
    AdminConfig.objects.update_or_create(key=OWE_USED.key, defaults={"value": True})


def test_a_dispute_freezes_what_was_awarded_until_it_is_won(bought):
    give(bought.member, 60)
    bought.dispute(Dispute.Status.NEEDS_RESPONSE)
    with pytest.raises(DomainError):
        spend(bought.member, 1)
    assert (in_pool(bought.partner), in_hand(bought.member)) == (0, 0)
    bought.dispute(Dispute.Status.WON)
    spend(bought.member, 1)
    assert (in_pool(bought.partner), in_hand(bought.member)) == (40, 59)


def test_what_was_awarded_of_lost_money_is_not_handed_out_again(bought):
    award = give(bought.member, 100)
    bought.dispute(Dispute.Status.NEEDS_RESPONSE)
    bought.dispute(Dispute.Status.LOST)
    assert bought.taken == (100, 0)
    with pytest.raises(AwardOver):
        revoke(award=award, reason="the money is gone")
    assert (in_pool(bought.partner), in_hand(bought.member)) == (0, 0)
    assert selectors.standing_of(award) == AwardStanding(Status.REVOKED, 0, 0, 100, 0)
    assert list(selectors.awards_of(bought.partner, AwardFilter(status="revoked"))) == [award]
    assert "the money that paid for them went back" in page_of(award)


def test_a_refund_in_part_takes_the_pools_first_and_what_was_awarded_last(bought):
    first, last = give(bought.member, 30), give(bought.member, 50)
    bought.refund(500)
    assert bought.taken == (50, 0)
    assert [selectors.standing_of(one).returned for one in (first, last)] == [0, 30]
    assert (in_pool(bought.partner), in_hand(bought.member)) == (0, 50)


def test_what_the_pool_covers_stays_with_the_members(bought):
    give(bought.member, 30)
    bought.refund(700)
    assert (in_pool(bought.partner), in_hand(bought.member)) == (0, 30)


def test_only_what_a_member_has_used_is_owed(bought, owing):
    award = give(bought.member, 100)
    spend(bought.member, 25)
    bought.refund(1000)
    assert bought.taken == (100, 25)
    assert main_wallet(bought.partner.organization).owed_back == 25
    assert selectors.standing_of(award) == AwardStanding(Status.REVOKED, 0, 25, 75, 0)


def test_an_offer_whose_money_is_lost_offers_nothing(bought):
    (invited,) = make_members(bought.partner, "new@example.com")
    offer = give(invited, 100)
    bought.refund(400)
    assert offered_to(invited) == 60
    bought.refund(600)
    assert (offered_to(invited), list(offers_of(invited))) == (0, [])
    assert selectors.standing_of(offer).status == Status.REVOKED
    with moved_to(offer.expires_at):
        assert selectors.standing_of(offer).status == Status.REVOKED


def test_what_ends_unused_after_some_was_called_in_has_expired(bought):
    award = give(bought.member, 100)
    bought.refund(500)
    assert selectors.standing_of(award) == AwardStanding(Status.AVAILABLE, 50, 0, 50, 0)
    with moved_to(award.expires_at):
        settle_due()
        assert selectors.standing_of(award) == AwardStanding(Status.EXPIRED, 0, 0, 100, 0)


def test_nobody_gets_a_mail_of_what_was_called_in(bought):
    award = give(bought.member, 100)
    bought.refund(1000)
    assert letters_of([award]) == []


def test_what_a_job_gives_a_member_back_is_taken_by_the_sweep(bought):
    give(bought.member, 100)
    hold = hold_of(bought.member, 40)
    bought.refund(1000)
    assert bought.taken == (60, 0)
    release_hold(hold=hold, source="test")
    assert take_what_came_back() == 1
    assert bought.taken == (100, 0)
    assert in_hand(bought.member) == 0


def test_what_comes_back_to_the_heir_of_a_lot_is_taken_by_the_sweep(bought):
    """What was awarded was lent of the heir, which has the credits since they end later."""
    lot, end = Lot.objects.get(origin=bought.payment.reference), timezone.now() + timedelta(days=90)
    with transaction.atomic():
        redate = {"wallet_id": lot.wallet_id, "lot_id": lot.id, "source": "staff"}
        post_one(ChangeExpiry(**redate, reference="later", expires_at=end))
    give(bought.member, 100)
    hold = hold_of(bought.member, 40)
    bought.refund(1000)
    assert bought.taken == (60, 0)
    release_hold(hold=hold, source="test")
    assert take_what_came_back() == 1
    assert bought.taken == (100, 0)


def test_what_was_handed_on_for_good_stays(db):
    bought = buy(unused="lapse")
    give(bought.member, 60)
    bought.refund(1000)
    assert bought.taken == (40, 0)
    assert (in_pool(bought.partner), in_hand(bought.member)) == (0, 60)


def test_a_preview_counts_what_is_awarded_and_moves_nothing(bought):
    give(bought.member, 60)
    before = CreditTransaction.objects.count()
    lot = Lot.objects.get(origin=bought.payment.reference)
    asked = {"amount": 100, "reference": "preview", "source": "refund"}
    assert claw_back(lot=lot, mode=DRY_RUN, **asked).amount == -100
    assert CreditTransaction.objects.count() == before


def test_a_clawback_that_is_repeated_calls_in_no_more(bought):
    give(bought.member, 60)
    lot = Lot.objects.get(origin=bought.payment.reference)
    with transaction.atomic():
        for _ in range(2):
            claw_back(lot=lot, amount=50, reference="refund:1", source="refund")
        assert in_hand(bought.member) == 50
        transaction.set_rollback(True)


def test_what_staff_voided_at_a_member_is_nobodys_debt(bought, owing):
    give(bought.member, 100)
    lot = Lot.objects.get(wallet=bought.member.wallet)
    with transaction.atomic():
        post_one(Void(wallet_id=lot.wallet_id, lot_id=lot.id, reference="void:1", source="staff"))
    bought.refund(1000)
    assert bought.taken == (0, 0)
