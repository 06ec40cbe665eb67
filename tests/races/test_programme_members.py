"""Claims, removals and suspensions at the same moment: real connections, real commits."""

import pytest

from apps.credits.models import Wallet
from apps.partners.models import PartnerMember
from apps.partners.services import claiming, standing
from apps.partners.services.standing import Cause
from apps.rbac.models import UserRole
from apps.tenants.models import AuditLog
from tests.partners.awarding import give, in_pool
from tests.partners.claiming import ADDRESS, make_claimed, make_invited_member
from tests.partners.programme import make_programme
from tests.races.outcomes import code_of
from tests.races.racing import at_once
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 4


def removal_of(member: PartnerMember):
    return code_of(lambda: standing.remove_member(member=member, cause=Cause.REMOVED))


def claim_of(member: PartnerMember, user, token: str):
    return code_of(lambda: claiming.claim_by_link(member=member, user=user, token=token))


def test_of_many_claims_by_one_person_one_counts():
    partner = make_programme(credits=100)
    member, token = make_invited_member(partner)
    give(member, 40)
    person = make_verified(ADDRESS)
    codes = at_once([claim_of(member, person, token)] * RACERS)
    assert set(codes) == {"done"}
    assert AuditLog.objects.filter(action="partner.claim").count() == 1
    assert UserRole.objects.filter(user=person).count() == 1
    assert Wallet.objects.get(pk=member.wallet_id).balance == 40


def test_who_is_removed_while_he_claims_keeps_neither_role_nor_credits():
    partner = make_programme(credits=100)
    member, token = make_invited_member(partner)
    give(member, 40)
    person = make_verified(ADDRESS)
    claimed, removed = at_once([claim_of(member, person, token), removal_of(member)])
    assert removed == "done"
    assert claimed in {"done", "claim_not_open"}
    member.refresh_from_db()
    assert (member.status, member.user) == ("left", None)
    assert not UserRole.objects.filter(user=person).exists()
    assert in_pool(partner) == 100


def test_of_many_removals_one_counts():
    partner = make_programme(credits=100)
    member = make_claimed(partner)
    give(member, 40)
    assert set(at_once([removal_of(member)] * RACERS)) == {"done"}
    assert AuditLog.objects.filter(action="partner.remove_member").count() == 1
    assert in_pool(partner) == 100


def test_a_suspension_and_a_removal_leave_nobody_half_gone():
    partner = make_programme(credits=100)
    member = make_claimed(partner)
    give(member, 40)
    suspension = code_of(lambda: standing.suspend(member=member, reason="misuse"))
    suspended, removed = at_once([suspension, removal_of(member)])
    assert removed == "done"
    assert suspended in {"done", "partner_member_left"}
    wallet = Wallet.objects.get(pk=member.wallet_id)
    assert (wallet.frozen_at, wallet.holder, wallet.balance) == (None, None, 0)
