"""Awards that several make, use and take back at once: real connections, real commits."""

from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from threading import Event
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone

from apps.core.clock import moved_to
from apps.core.errors import DomainError
from apps.credits.errors import InsufficientCredits
from apps.credits.models import Lot
from apps.credits.selectors import main_wallet
from apps.credits.selectors.lots import lent_of
from apps.credits.services import clawbacks
from apps.credits.services.clawbacks import freeze_lot
from apps.credits.services.wallets import lock_wallets
from apps.partners.errors import CampaignBudgetSpent
from apps.partners.models import Campaign, PartnerCredit, PartnerMember
from apps.partners.selectors import open_lots_of, standings_of
from apps.partners.services import awards as service
from apps.partners.services.awards import award_many
from apps.partners.services.claims import claim_awards, extend
from apps.partners.services.programmes import Terms, change_terms, lock_partner
from apps.partners.services.settling import revoke, settle_member, take_back
from apps.partners.services.sweeping import settle_due
from tests.invariants import broken
from tests.partners.awarding import asked, fill, give, in_hand, in_pool, make_active_member, spend
from tests.partners.programme import make_members, make_programme
from tests.races.outcomes import tried
from tests.races.racing import at_once, meanwhile, wait_until_awaited

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 8
LATER = timedelta(days=100)


def leave(member: PartnerMember) -> None:
    with transaction.atomic():
        lock_partner(member.partner)
        settle_member(member=member, cause="removed")
        rows = PartnerMember.objects.filter(pk=member.pk)
        rows.update(status=PartnerMember.Status.LEFT, left_at=timezone.now())


def sweep() -> None:
    with moved_to(timezone.now() + LATER):
        settle_due()


def test_one_key_is_awarded_once_by_whoever_asks():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    made = at_once([lambda: give(member, 10, key="k")] * RACERS)
    assert len({one.pk for one in made}) == 1
    assert (in_pool(partner), in_hand(member)) == (90, 10)


def test_no_more_is_awarded_than_the_pool_has():
    partner = make_programme(credits=50)
    members = make_members(partner, *(f"m{n}@example.com" for n in range(RACERS)))
    made = at_once([partial(tried, lambda one=one: give(one, 10)) for one in members])
    assert sum(isinstance(one, PartnerCredit) for one in made) == 5
    assert sum(isinstance(one, InsufficientCredits) for one in made) == 3
    assert (in_pool(partner), broken()) == (0, [])


def test_no_more_is_awarded_than_the_campaign_may():
    partner = make_programme(credits=500)
    members = make_members(partner, *(f"m{n}@example.com" for n in range(RACERS)))
    campaign = Campaign.objects.create(
        organization=partner.organization,
        partner=partner,
        name="Spring",
        budget=50,
        begins_at=timezone.now() - LATER,
    )
    made = at_once(
        [partial(tried, lambda one=one: give(one, 10, campaign=campaign)) for one in members]
    )
    assert sum(isinstance(one, CampaignBudgetSpent) for one in made) == 3
    assert (in_pool(partner), broken()) == (450, [])


def test_what_is_used_while_it_is_revoked_is_used_or_taken_back():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    award = give(member, 40)
    works = [lambda: spend(member, 10)] * 6 + [lambda: revoke(award=award, reason="x")] * 2
    done = at_once([partial(tried, one) for one in works])
    used = sum(not isinstance(one, DomainError) for one in done[:6])
    assert (in_pool(partner), in_hand(member), broken()) == (100 - 10 * used, 0, [])


@pytest.mark.parametrize("unused", ["return", "lapse"])
def test_everything_at_once_loses_nothing_and_makes_nothing(unused):
    partner = make_programme(credits=1000, terms=Terms(unused=unused))
    ada, bea = make_active_member(partner), make_active_member(partner, "bea@example.com")
    (cid,) = make_members(partner, "cid@example.com")
    first, second, third = give(ada, 100), give(bea, 100), give(cid, 100)
    works = [
        lambda: give(ada, 50),
        lambda: spend(ada, 30),
        lambda: revoke(award=first, reason="x"),
        lambda: extend(award=second, until=second.expires_at + LATER),
        lambda: leave(bea),
        lambda: spend(bea, 30),
        lambda: claim_awards(member=cid),
        sweep,
    ]
    for _ in range(2):
        at_once([partial(tried, one) for one in works])
        assert broken() == []
    sweep()
    awards = list(PartnerCredit.objects.all())
    for one, found in zip(awards, standings_of(awards).values(), strict=False):
        assert min(found.left, found.used, found.returned, found.lapsed) >= 0, one.reference
    assert third in awards
    assert broken() == []


def test_what_returns_and_what_lapses_is_taken_back_in_one_order_of_locks():
    partner = make_programme(credits=100)
    first, second = make_members(partner, "first@example.com", "second@example.com")
    first, second = sorted((first, second), key=lambda one: one.wallet_id)
    returning = give(second, 10)
    change_terms(partner=partner, terms=Terms(unused="lapse"), reason="agreed")
    awards = [returning, give(first, 10)]
    begun, done = Event(), Event()

    def take() -> dict:
        begun.wait()
        try:
            with transaction.atomic():
                lots = open_lots_of(awards)
                return take_back(lock_partner(partner), awards, lots, "test")
        finally:
            done.set()

    @transaction.atomic
    def hold_both() -> None:
        lock_wallets([first.wallet_id])  # as a posting does to many: one after the other
        begun.set()
        wait_until_awaited(done)
        lock_wallets([second.wallet_id])

    taken, _ = at_once([take, hold_both])
    assert set(taken.values()) == {10}
    assert (in_pool(partner), broken()) == (90, [])


def test_who_dies_before_the_commit_has_awarded_nothing():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    wanted = [asked(member, 10, key="k")]
    with (
        mock.patch.object(service.audit, "record", side_effect=SystemExit),
        pytest.raises(SystemExit),
    ):
        award_many(partner=partner, requests=wanted)
    assert (in_pool(partner), PartnerCredit.objects.count(), broken()) == (100, 0, [])
    award_many(partner=partner, requests=wanted)
    assert (in_pool(partner), broken()) == (90, [])


class TestADispute:
    @pytest.mark.parametrize("is_locked", [True, False])
    def test_freezes_what_is_being_lent_of_the_lot(self, is_locked):
        """Without the lock of the pool the list of what is lent is older than its last award."""
        partner = make_programme()
        member = make_active_member(partner)
        fill(partner, 100)
        lot = Lot.objects.get(wallet=main_wallet(partner.organization), kind="purchase")

        def freeze():
            freeze_lot(lot=lot, is_frozen=True, reference="dispute:1", source="test")

        with nullcontext() if is_locked else mock.patch.object(clawbacks, "lock_lent", lent_of):
            meanwhile(lambda: give(member, 60), freeze)

        assert in_hand(member) == (0 if is_locked else 60)
