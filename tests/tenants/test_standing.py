"""Closing an organization, undoing it, and shutting one out."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from apps.core import clock
from apps.core.clock import database_now
from apps.credits.errors import WalletClosed, WalletHasHolds, WalletInDebt
from apps.credits.models import Hold, Wallet
from apps.credits.selectors import balance_of, main_wallet
from apps.credits.services.charges import charge_amount
from apps.credits.services.holds import hold_amount
from apps.credits.services.wallets import change_status, set_credit_line
from apps.jobs.errors import JobsUnderWay
from apps.rbac.selectors import closed_organizations_of, organizations_of
from apps.rbac.services.keys import find_key
from apps.tenants.errors import NotConfirmed, OrganizationNotActive, ReopeningTooLate
from apps.tenants.models import Organization
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.standing import (
    activate_organization,
    close_organization,
    deactivate_organization,
    reopen_organization,
    what_keeps_open,
)
from tests.jobs.work import make_job, set_price
from tests.people import make_key, make_organization, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person()


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


def close(organization, **fields) -> Organization:
    return close_organization(organization=organization, confirmation=organization.slug, **fields)


class TestClosing:
    def test_shuts_pages_and_keys_and_keeps_the_credits(self, organization, owner):
        _, token = make_key(organization, owner, "credits:read")

        close(organization, reason="Moved on")

        organization.refresh_from_db()
        assert organization.status == "closed"
        assert not organizations_of(owner).exists()
        assert find_key(token) is None
        assert main_wallet(organization).closed_at is not None
        assert balance_of(main_wallet(organization)).available == 100

    def test_lets_nothing_be_spent(self, organization):
        close(organization)

        with pytest.raises(WalletClosed):
            charge_amount(
                wallet=main_wallet(organization), amount=1, reference="late", source="test"
            )

    def test_writes_who_closed_it_and_why(self, organization):
        close(organization, reason="Moved on")

        entry = audit_log_of(organization).get(action="organization.close")
        assert (entry.before, entry.after) == ({"status": "active"}, {"status": "closed"})
        assert entry.reason == "Moved on"

    def test_needs_the_slug_typed(self, organization):
        with pytest.raises(NotConfirmed):
            close_organization(organization=organization, confirmation="yes")

        organization.refresh_from_db()
        assert organization.status == "active"

    def test_is_refused_while_credits_are_held(self, organization):
        hold_amount(wallet=main_wallet(organization), amount=5, reference="h", source="test")

        with pytest.raises(WalletHasHolds):
            close(organization)

        assert nothing_happened(organization)

    def test_is_not_kept_by_a_hold_that_is_over(self, organization):
        hold_amount(wallet=main_wallet(organization), amount=5, reference="h", source="test")
        assert isinstance(what_keeps_open(organization=organization), WalletHasHolds)

        with clock.moved_to(Hold.objects.get().expires_at):
            assert what_keeps_open(organization=organization) is None
            close(organization)

        assert balance_of(main_wallet(organization)).available == 100

    def test_is_refused_while_credits_are_owed(self, organization):
        wallet = main_wallet(organization)
        set_credit_line(wallet=wallet, limit=50, reason="test")
        charge_amount(wallet=wallet, amount=120, reference="c", source="test")

        with pytest.raises(WalletInDebt):
            close(organization)

        assert nothing_happened(organization)

    def test_is_refused_while_a_job_may_be_refunded(self, organization, owner):
        set_price()
        make_job(organization, owner)

        with pytest.raises(JobsUnderWay):
            close(organization)

        assert nothing_happened(organization)

    def test_closes_every_wallet_or_none(self, organization):
        second = Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)

        close(organization)

        second.refresh_from_db()
        assert second.closed_at is not None

    def test_is_not_for_one_that_staff_shut_out(self, organization):
        deactivate_organization(organization=organization, reason="Abuse")

        with pytest.raises(OrganizationNotActive):
            close(organization)

    def test_is_done_once(self, organization):
        first = close(organization)

        assert close(organization).closed_at == first.closed_at
        assert audit_log_of(organization).filter(action="organization.close").count() == 1

    def test_leaves_no_closed_one_active_in_the_database(self, organization):
        with pytest.raises(IntegrityError), transaction.atomic():
            Organization.objects.filter(pk=organization.pk).update(closed_at=database_now())


def nothing_happened(organization) -> bool:
    organization.refresh_from_db()
    return organization.status == "active" and main_wallet(organization).closed_at is None


class TestReopening:
    def test_makes_everything_as_it_was(self, organization, owner):
        _, token = make_key(organization, owner, "credits:read")
        close(organization)

        reopen_organization(organization=organization)

        assert list(organizations_of(owner)) == [organization]
        assert find_key(token) is not None
        charge_amount(wallet=main_wallet(organization), amount=1, reference="c", source="test")

    def test_leaves_a_wallet_closed_that_staff_had_closed(self, organization):
        second = Wallet.objects.create(organization=organization, kind=Wallet.Kind.MEMBER)
        change_status(wallet=second, reason="test", is_closed=True)
        close(organization)

        reopen_organization(organization=organization)

        second.refresh_from_db()
        assert second.closed_at is not None
        assert main_wallet(organization).closed_at is None

    def test_is_offered_to_owners_for_30_days(self, organization, owner):
        close(organization)
        assert list(closed_organizations_of(owner)) == [organization]
        assert not closed_organizations_of(make_person()).exists()

    @pytest.mark.parametrize(("early", "is_in_time"), [(True, True), (False, False)])
    def test_ends_to_the_moment(self, organization, settings, early, is_in_time):
        settings.MOVABLE_CLOCK = True
        end = close(organization).closed_at + timedelta(days=30)

        with clock.moved_to(end - timedelta(microseconds=1) if early else end):
            if is_in_time:
                reopen_organization(organization=organization)
            else:
                with pytest.raises(ReopeningTooLate):
                    reopen_organization(organization=organization)

        organization.refresh_from_db()
        assert organization.is_active is is_in_time

    def test_is_open_to_staff_at_any_time(self, organization, settings):
        settings.MOVABLE_CLOCK = True
        closed_at = close(organization).closed_at

        with clock.moved_to(closed_at + timedelta(days=400)):
            reopen_organization(organization=organization, at_any_time=True, reason="Asked")

        organization.refresh_from_db()
        assert organization.status == "active"


class TestDeactivating:
    def test_shuts_members_out_and_lets_them_in_again(self, organization, owner):
        deactivate_organization(organization=organization, reason="Abuse")
        assert not organizations_of(owner).exists()
        assert not closed_organizations_of(owner).exists()

        activate_organization(organization=organization, reason="Cleared")

        assert list(organizations_of(owner)) == [organization]
        actions = audit_log_of(organization).values_list("action", "reason")
        assert ("organization.deactivate", "Abuse") in actions
        assert ("organization.activate", "Cleared") in actions

    def test_is_not_undone_by_its_owner(self, organization):
        deactivate_organization(organization=organization, reason="Abuse")

        reopen_organization(organization=organization)

        organization.refresh_from_db()
        assert organization.status == "deactivated"

    def test_does_not_activate_one_that_its_owner_closed(self, organization):
        close(organization)

        with pytest.raises(OrganizationNotActive):
            activate_organization(organization=organization, reason="Oops")
