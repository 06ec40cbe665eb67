"""What is not used goes by the terms: revoked, left, or past its date."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core.clock import moved_to
from apps.credits.errors import WalletClosed
from apps.credits.models import CreditTransaction, Lot
from apps.credits.services.charges import refund_charge
from apps.credits.services.expiry import sweep_expired_lots
from apps.partners import selectors
from apps.partners.errors import AwardOver, MemberNotThere
from apps.partners.models import PartnerCredit
from apps.partners.selectors import AwardStanding
from apps.partners.services import sweeping
from apps.partners.services.claims import extend
from apps.partners.services.programmes import Terms
from apps.partners.services.settling import revoke, settle_member, take_back
from apps.partners.services.sweeping import settle_due
from apps.tenants.models import AuditLog
from tests.partners.awarding import fill, give, in_hand, in_pool, make_active_member, spend
from tests.partners.programme import make_members, make_programme

pytestmark = pytest.mark.django_db
Status = PartnerCredit.Status
DAY = timedelta(days=1)


def returning(credits: int = 100):
    return make_programme(credits=credits)


def lapsing(credits: int = 100):
    return make_programme(credits=credits, terms=Terms(unused="lapse"))


def test_what_is_revoked_returns_to_the_lot_that_it_came_from():
    partner = returning()
    member = make_active_member(partner)
    award = give(member, 30)
    spend(member, 12)
    taken = revoke(award=award, reason="left the project")
    assert (taken.credits, taken.is_replayed) == (18, False)
    assert (in_pool(partner), in_hand(member)) == (88, 0)
    assert selectors.standing_of(award) == AwardStanding(Status.REVOKED, 0, 12, 18, 0)
    pool = Lot.objects.get(organization=partner.organization, kind="purchase")
    assert (pool.granted, pool.remaining) == (100, 88)
    row = AuditLog.objects.get(action="partner.revoke_award")
    assert (row.after, row.reason) == ({"taken_back": 18}, "left the project")


def test_what_is_revoked_lapses_if_the_terms_say_so():
    partner = lapsing()
    member = make_active_member(partner)
    award = give(member, 30)
    spend(member, 12)
    assert revoke(award=award, reason="left").credits == 18
    assert (in_pool(partner), in_hand(member)) == (70, 0)
    assert selectors.standing_of(award) == AwardStanding(Status.REVOKED, 0, 12, 0, 18)


def test_revoked_twice_is_no_more_than_once():
    partner = returning()
    member = make_active_member(partner)
    award = give(member, 30)
    give(member, 5)
    first, again = revoke(award=award, reason="a"), revoke(award=award, reason="b")
    assert (first.credits, again.credits, again.is_replayed) == (30, 30, True)
    assert (in_pool(partner), in_hand(member)) == (95, 5)


def test_one_award_is_revoked_and_the_members_others_stay():
    partner = returning()
    member = make_active_member(partner)
    first, second = give(member, 10), give(member, 10)
    revoke(award=second, reason="a mistake")
    assert selectors.standing_of(first).left == in_hand(member) == 10


def test_what_was_extended_is_revoked_as_well():
    partner = returning()
    award = give(make_active_member(partner), 10)
    award = extend(award=award, until=award.expires_at + DAY)
    assert revoke(award=award, reason="left").credits == 10
    assert in_pool(partner) == 100


@pytest.mark.parametrize("make", [returning, lapsing])
def test_a_used_award_cannot_be_revoked(make):
    member = make_active_member(make())
    award = give(member, 10)
    spend(member, 10)
    with pytest.raises(AwardOver, match="used"):
        revoke(award=award, reason="late")
    assert selectors.standing_of(award) == AwardStanding(Status.USED, 0, 10, 0, 0)


def test_who_leaves_leaves_what_he_has_not_used():
    partner = returning()
    member = make_active_member(partner)
    used, half, whole = give(member, 10), give(member, 10), give(member, 10)
    spend(member, 15)
    assert settle_member(member=member, cause="removed") == 15
    assert (in_pool(partner), in_hand(member)) == (85, 0)
    found = selectors.standings_of([used, half, whole])
    assert [found[one.id].status for one in (used, half, whole)] == [
        Status.USED,
        Status.REVOKED,
        Status.REVOKED,
    ]
    assert settle_member(member=member, cause="removed") == 0


def test_who_leaves_lets_lapse_what_the_terms_let_lapse():
    partner = lapsing()
    (member,) = make_members(partner, "ada@example.com")
    give(member, 10)
    assert settle_member(member=member, cause="removed") == 10
    assert (in_pool(partner), in_hand(member)) == (90, 0)


def test_an_offer_that_nobody_claims_returns_in_time():
    partner = returning()
    (member,) = make_members(partner, "ada@example.com")
    offer = give(member, 10)
    with moved_to(offer.expires_at - DAY):
        assert settle_due().awards == 0
    with moved_to(offer.expires_at):
        assert selectors.standing_of(offer) == AwardStanding(Status.EXPIRED, 0, 0, 10, 0)
        assert (settle_due().credits, settle_due().awards) == (10, 0)
        assert in_pool(partner) == 100
        assert selectors.standing_of(offer) == AwardStanding(Status.EXPIRED, 0, 0, 10, 0)
    offer.refresh_from_db()
    assert offer.settled_at == offer.expires_at


def test_what_is_left_at_its_end_lapses_if_the_terms_say_so():
    partner = lapsing()
    member = make_active_member(partner)
    award = give(member, 10)
    spend(member, 4)
    with moved_to(award.expires_at):
        assert selectors.standing_of(award) == AwardStanding(Status.EXPIRED, 0, 4, 0, 6)
        settle_due()
        sweep_expired_lots()
        assert selectors.standing_of(award) == AwardStanding(Status.EXPIRED, 0, 4, 0, 6)
        assert in_pool(partner) == 90


def test_a_part_that_ends_earlier_returns_earlier():
    partner = make_programme()
    soon = timezone.now() + 3 * DAY
    fill(partner, 10, expires_at=soon)
    fill(partner, 10)
    member = make_active_member(partner)
    award = give(member, 15)
    with moved_to(soon):
        assert settle_due().credits == 10
        assert selectors.standing_of(award) == AwardStanding(Status.AVAILABLE, 5, 0, 10, 0)
    award.refresh_from_db()
    assert award.settled_at is None
    # Its lot in the pool is dead by then: it returned, and expired there
    assert CreditTransaction.objects.get(transaction_type="expired").amount == -10


@pytest.mark.parametrize(("make", "back"), [(returning, 100), (lapsing, 90)])
def test_what_a_job_gives_back_after_the_revocation_goes_as_well(make, back):
    partner = make()
    member = make_active_member(partner)
    award = give(member, 10)
    charged = spend(member, 4).entries[0].reference
    revoke(award=award, reason="left")
    refund_charge(wallet=member.wallet, charge_reference=charged, reference="failed", source="test")
    assert in_hand(member) == 4
    settle_due()
    assert (in_pool(partner), in_hand(member)) == (back, 0)
    assert selectors.standing_of(award).status == Status.REVOKED


def test_what_a_job_gives_back_after_the_departure_goes_as_well():
    partner = returning()
    member = make_active_member(partner)
    award = give(member, 10)
    charged = spend(member, 10).entries[0].reference
    settle_member(member=member, cause="removed")
    member.status, member.left_at = member.Status.LEFT, timezone.now()
    member.save()
    refund_charge(wallet=member.wallet, charge_reference=charged, reference="failed", source="test")
    with pytest.raises(MemberNotThere):  # or nobody would look for these credits any more
        extend(award=award, until=award.expires_at + DAY)
    settle_due()
    assert (in_pool(partner), in_hand(member)) == (100, 0)
    assert selectors.standing_of(award).returned == 10


def test_what_we_give_back_for_a_fault_of_ours_stays_after_the_end():
    partner = returning()
    member = make_active_member(partner)
    award = give(member, 10)
    charged = spend(member, 10).entries[0].reference
    with moved_to(award.expires_at):
        settle_due()
        refund_charge(
            wallet=member.wallet,
            charge_reference=charged,
            reference="our fault",
            source="test",
            is_our_fault=True,
        )
        assert settle_due().credits == 0
        assert selectors.standing_of(award) == AwardStanding(Status.AVAILABLE, 10, 0, 0, 0)
        longer = extend(award=award, until=award.expires_at + 60 * DAY)
        assert longer.settled_at is None
    with moved_to(longer.expires_at):
        assert settle_due().credits == 10
        assert in_pool(partner) == 100


def test_a_revoked_award_is_not_extended():
    award = give(make_active_member(returning()), 10)
    revoke(award=award, reason="a mistake")
    with pytest.raises(AwardOver, match="revoked"):
        extend(award=award, until=award.expires_at + DAY)


def test_an_award_that_is_used_up_is_over_at_its_end():
    member = make_active_member(returning())
    award = give(member, 10)
    spend(member, 10)
    with moved_to(award.expires_at):
        settle_due()
        assert selectors.standing_of(award).status == Status.USED
        assert settle_due().awards == 0


@pytest.mark.parametrize("problem", [WalletClosed, AssertionError])
def test_a_programme_that_fails_holds_up_no_other(monkeypatch, problem):
    failing, other = sorted((returning(), returning()), key=lambda one: one.pk)  # as swept
    awards = [give(make_active_member(one), 10) for one in (failing, other)]
    awards += [give(awards[0].member, 10) for _ in range(2)]

    def refuse(partner, *rest):
        if partner == failing:
            raise problem
        return take_back(partner, *rest)

    monkeypatch.setattr(sweeping, "take_back", refuse)
    with moved_to(max(award.expires_at for award in awards) + DAY):
        done = settle_due(limit=2)  # fewer than what is due of the first
        assert (done.awards, done.credits) == (1, 10)
        monkeypatch.undo()
        assert settle_due().credits == 30  # nothing of it was written: it is due still
    assert [in_pool(one) for one in (failing, other)] == [100, 100]


def test_a_sweep_takes_as_many_as_it_is_asked_for():
    partner = returning()
    members = make_members(partner, *(f"m{n}@example.com" for n in range(3)))
    offers = [give(one, 10) for one in members]
    with moved_to(max(one.expires_at for one in offers)):
        first, second, third = (settle_due(limit=2) for _ in range(3))
    assert [(one.awards, one.has_more) for one in (first, second, third)] == [
        (2, True),
        (1, False),
        (0, False),
    ]
