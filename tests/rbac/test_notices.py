"""What every page says of seats and of maintenance."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.banners import Place, Viewer
from apps.rbac.pages.notices import banners_of
from apps.rbac.permissions import MEMBER, OWNER
from apps.rbac.selectors.seats import seats_of
from apps.tenants.models import AdminConfig, Organization
from tests.people import make_member, make_organization, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization():
    return make_organization()


def said(organization, permissions=OWNER.codes):
    organization.refresh_from_db()
    return list(banners_of(Viewer(organization, None, permissions, "rbac")))


def allow(organization, members):
    Organization.objects.filter(pk=organization.pk).update(max_users=members)


class TestSeats:
    def test_that_are_all_taken_are_told_to_who_invites(self, organization):
        make_member(organization, "member")
        for allowed in (None, 9):
            allow(organization, allowed)
            assert said(organization) == []
        allow(organization, seats_of(organization).members)
        (banner,) = said(organization)
        assert banner.place == Place.SEATS_FULL
        assert "taken: nobody can be invited" in banner.text
        assert said(organization, MEMBER.codes) == []

    def test_are_not_counted_where_they_are_not_limited(self, organization):
        with CaptureQueriesContext(connection) as asked:
            assert said(organization) == []
        assert not [one for one in asked if "invitation" in one["sql"]]


class TestMaintenance:
    def test_is_told_to_everybody_until_he_has_read_it(self, organization):
        words = "On 3 December from 22:00 to 23:00 UTC nothing can be bought."
        AdminConfig.objects.create(key="site.maintenance_notice", value=words)
        (banner,) = said(organization, frozenset())
        assert (banner.place, banner.text) == (Place.MAINTENANCE, words)
        assert words in banner.dismissed_as
        page = signed_in(make_member(organization, "owner")).get(f"/o/{organization.slug}/members/")
        assert words in page.content.decode()
