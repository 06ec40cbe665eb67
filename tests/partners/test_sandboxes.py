"""Who comes from outside gets the credits of a sandbox at its time, not at ours."""

from datetime import timedelta

import pytest

from apps.core import scope
from apps.core.clock import database_now
from apps.partners.models import PartnerCredit
from apps.partners.services.claiming import claim
from apps.partners.services.joining import join
from apps.partners.services.rules import create_rule
from apps.tenants.models import Organization
from tests.partners.awarding import give
from tests.partners.programme import make_members, make_programme
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
EMAIL = "ada@green.example"


@pytest.fixture
def moment():
    return database_now() + 200 * DAY


@pytest.fixture
def partner(moment):
    partner = make_programme(credits=100)
    Organization.objects.filter(pk=partner.organization_id).update(clock_at=moment)
    partner.refresh_from_db()
    return partner


def test_what_is_claimed_lasts_from_the_moment_of_the_sandbox(partner, moment):
    with scope.within(partner.organization_id, moment):
        (member,) = make_members(partner, EMAIL)
        give(member, 10)
    claim(member=member, user=make_verified(EMAIL))
    assert PartnerCredit.objects.get().expires_at == moment + 90 * DAY


def test_what_a_rule_gives_lasts_from_the_moment_of_the_sandbox(partner, moment):
    rule = create_rule(partner=partner, domain="green.example", credits=10)
    join(rule=rule, user=make_verified(EMAIL))
    assert PartnerCredit.objects.get().expires_at == moment + 90 * DAY
