"""Joining by a rule after one was removed, under whichever of one's addresses."""

import pytest
from allauth.account.models import EmailAddress

from apps.partners.errors.asking import CannotJoin
from apps.partners.models import PartnerCredit, PartnerMember
from apps.partners.services.claiming import claim
from apps.partners.services.joining import join
from apps.partners.services.rules import create_rule
from apps.partners.services.standing import Cause, remove_member
from tests.partners.awarding import in_hand
from tests.partners.programme import make_members
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule(partner):
    return create_rule(partner=partner, domain="green.example", credits=30)


@pytest.fixture
def ada():
    return make_verified("ada@green.example")


def add_address(person, email):
    return EmailAddress.objects.create(user=person, email=email, verified=True)


def test_joining_lets_nobody_who_was_removed_back_in_by_another_address(partner, rule):
    person = make_verified("ada@home.example")
    add_address(person, "ada@green.example")
    (member,) = make_members(partner, "ada@home.example")
    claim(member=member, user=person)
    join(rule=rule, user=person)
    remove_member(member=member, cause=Cause.REMOVED)
    with pytest.raises(CannotJoin, match="suspended or removed"):
        join(rule=rule, user=person)
    assert (PartnerMember.objects.count(), PartnerCredit.objects.count()) == (1, 1)


def test_joining_is_once_a_person_who_was_removed_and_invited_by_another_address(partner, rule):
    person = make_verified("ada@home.example")
    add_address(person, "ada@green.example")
    home, green = make_members(partner, "ada@home.example", "ada@green.example")
    claim(member=home, user=person)
    join(rule=rule, user=person)
    remove_member(member=home, cause=Cause.REMOVED)
    claim(member=green, user=person)
    with pytest.raises(CannotJoin, match="another of your addresses"):
        join(rule=rule, user=person)
    assert PartnerCredit.objects.count() == 1


def test_joining_is_for_an_active_member_whose_second_invitation_was_removed(partner, rule, ada):
    add_address(ada, "ada@home.example")
    (second,) = make_members(partner, "ada@home.example")
    member = join(rule=rule, user=ada)
    remove_member(member=second, cause=Cause.REMOVED)
    assert join(rule=rule, user=ada) == member


def test_joining_claims_again_who_took_the_credits_left_and_was_asked_back(partner, rule, ada):
    member = join(rule=rule, user=ada)
    remove_member(member=member, cause=Cause.LEFT)
    make_members(partner, ada.email)
    back = join(rule=rule, user=ada)
    assert (back, back.status, back.user) == (member, "active", ada)
    assert (PartnerCredit.objects.count(), in_hand(back)) == (1, 0)
