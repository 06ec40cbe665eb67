"""Programmes and their terms; members who are added once."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.credits.models import Wallet
from apps.partners import selectors
from apps.partners.errors import (
    AlreadyPartner,
    InvalidMemberAddress,
    InvalidPartnerTerms,
    NotAPartner,
    PartnerSuspended,
    SeatsTaken,
)
from apps.partners.models import Partner, PartnerMember, PartnerTerms
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import Terms, change_terms, make_partner, set_status
from apps.tenants.models import AuditLog
from tests.partners.programme import make_members, make_programme
from tests.people import make_organization

pytestmark = pytest.mark.django_db


def test_a_partner_begins_with_the_terms_of_document_004():
    partner = make_programme()
    terms = selectors.terms_of(partner)
    assert (terms.number, terms.validity_days, terms.unused) == (1, 90, "return")
    assert AuditLog.objects.filter(action="partner.create").count() == 1


def test_an_organization_has_one_programme():
    partner = make_programme()
    with pytest.raises(AlreadyPartner):
        make_partner(organization=partner.organization, name="Another")
    with pytest.raises(NotAPartner):
        selectors.partner_of(make_organization())


def test_terms_change_by_a_new_version_and_never_in_place():
    partner = make_programme()
    changed = change_terms(partner=partner, terms=Terms(validity_days=30), reason="agreed")
    assert changed.number == 2
    same = change_terms(partner=partner, terms=Terms(validity_days=30), reason="again")
    assert same == changed
    assert PartnerTerms.objects.filter(partner=partner).count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        PartnerTerms.objects.filter(pk=changed.pk).update(validity_days=1)


@pytest.mark.parametrize(
    "terms", [Terms(validity_days=0), Terms(claim_days=366), Terms(seat_limit=-1)]
)
def test_terms_that_cannot_be_are_refused(terms):
    partner = make_programme()
    with pytest.raises(InvalidPartnerTerms):
        change_terms(partner=partner, terms=terms, reason="wrong")
    assert selectors.terms_of(partner).number == 1


def test_a_suspended_programme_takes_nobody_in():
    partner = make_programme()
    set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
    with pytest.raises(PartnerSuspended):
        make_members(partner, "ada@example.com")
    set_status(partner=partner, status=Partner.Status.ACTIVE, reason="paid")
    assert len(make_members(partner, "ada@example.com")) == 1


def test_an_address_is_one_member_however_it_is_written():
    partner = make_programme()
    first, again = make_members(partner, "Ada@Example.com", " ada@EXAMPLE.com ")
    assert first == again
    assert make_members(partner, "ADA@example.com") == [first]
    assert (first.email, first.wallet.kind) == ("ada@example.com", Wallet.Kind.MEMBER)


def test_an_address_that_is_none_adds_nobody():
    partner = make_programme()
    with pytest.raises(InvalidMemberAddress):
        make_members(partner, "ada@example.com", "not an address")
    assert not PartnerMember.objects.filter(partner=partner).exists()


def test_no_more_members_than_the_terms_allow():
    partner = make_programme(terms=Terms(seat_limit=2))
    first, _ = make_members(partner, "a@example.com", "b@example.com")
    with pytest.raises(SeatsTaken):
        make_members(partner, "a@example.com", "c@example.com")
    assert make_members(partner, "a@example.com") == [first]


def test_adding_members_asks_as_often_for_many_as_for_few(django_assert_num_queries):
    partner = make_programme()
    few = [NewMember(f"few{n}@example.com") for n in range(2)]
    many = [NewMember(f"many{n}@example.com") for n in range(200)]
    with django_assert_num_queries(count_of(partner, few)):
        add_members(partner=partner, people=many)


def count_of(partner, people) -> int:
    with CaptureQueriesContext(connection) as queries:
        add_members(partner=partner, people=people)
    return len(queries)
