"""The back office's pages of awards."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.tenants.models import AuditLog, Organization
from tests.partners.awarding import give, in_pool, make_active_member, spend
from tests.partners.programme import make_programme
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def award():
    member = make_active_member(make_programme(credits=100))
    award = give(member, 10)
    spend(member, 4)
    return award


@pytest.fixture
def client():
    return signed_in(make_person(is_staff=True, is_superuser=True))


def address(name, *args):
    return reverse(f"admin:partners_partnercredit_{name}", args=args)


def test_staff_see_how_each_stands(client, award):
    assert "ada@example.com" in client.get(address("changelist")).content.decode()
    page = client.get(address("change", award.pk)).content.decode()
    assert "Available: 6 left, 4 used, 0 returned, 0 lapsed" in page


def test_in_a_sandbox_an_award_stands_as_it_does_at_its_moment(client, award):
    later = award.expires_at + timedelta(days=1)
    Organization.objects.filter(pk=award.organization_id).update(clock_at=later)
    page = client.get(address("change", award.pk)).content.decode()
    assert "Expired: 0 left, 4 used, 6 returned, 0 lapsed" in page
    assert (
        "0 credits return to the pool." in client.get(address("revoke", award.pk)).content.decode()
    )


def test_staff_revoke_for_a_reason(client, award):
    here = address("revoke", award.pk)
    assert "6 credits return to the pool. What was used stays used." in (
        client.get(here).content.decode()
    )
    assert client.post(here, {"reason": ""}).status_code == 422
    assert in_pool(award.partner) == 90
    assert client.post(here, {"reason": "asked by the partner"}).status_code == 302
    assert in_pool(award.partner) == 96
    assert AuditLog.objects.get(action="partner.revoke_award").reason == "asked by the partner"


def test_a_used_award_says_that_nothing_is_left(client, award):
    spend(award.member, 6)
    refused = client.post(address("revoke", award.pk), {"reason": "late"})
    assert refused.status_code == 409
    assert "Nothing is left of this award" in refused.content.decode()
