"""Requests and rules under races: real connections, real commits."""

from collections import Counter

import pytest

from apps.partners.models import PartnerCredit
from apps.partners.services.joining import join
from apps.partners.services.requests import (
    approve_request,
    decline_request,
    request_credits,
    withdraw_request,
)
from apps.partners.services.rules import create_rule
from tests.invariants import broken
from tests.partners.awarding import in_hand, in_pool, make_active_member
from tests.partners.programme import make_programme
from tests.people import make_member
from tests.races.outcomes import code_of
from tests.races.racing import at_once
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6


def attempt(work, **terms):
    return code_of(lambda: work(**terms))


def test_a_request_is_approved_once_however_many_hands_do_it():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    manager = make_member(partner.organization, "partner manager")
    asked = request_credits(member=member, credits=40)
    said = at_once([attempt(approve_request, request=asked, by=manager)] * RACERS)
    assert said == ["done"] * RACERS
    assert (PartnerCredit.objects.count(), in_hand(member), in_pool(partner)) == (1, 40, 60)
    assert broken() == []


def test_a_request_ends_in_one_way():
    partner = make_programme(credits=100)
    member = make_active_member(partner)
    manager = make_member(partner.organization, "partner manager")
    asked = request_credits(member=member, credits=40)
    said = at_once(
        [
            attempt(approve_request, request=asked, by=manager),
            attempt(decline_request, request=asked, by=manager, answer="No"),
            attempt(withdraw_request, request=asked),
        ]
    )
    asked.refresh_from_db()
    assert Counter(said) == {"done": 1, "credit_request_decided": 2}
    assert in_hand(member) == (40 if asked.status == "approved" else 0)
    assert broken() == []


def test_a_member_has_one_request_however_often_he_presses():
    member = make_active_member(make_programme(credits=100))
    said = at_once([attempt(request_credits, member=member, credits=1)] * RACERS)
    assert Counter(said) == {"done": 1, "credit_request_pending": RACERS - 1}


def test_a_person_takes_a_rules_credits_once():
    partner = make_programme(credits=100)
    rule = create_rule(partner=partner, domain="green.example", credits=30)
    person = make_verified("ada@green.example")
    said = at_once([attempt(join, rule=rule, user=person)] * RACERS)
    assert said == ["done"] * RACERS
    assert (PartnerCredit.objects.count(), in_pool(partner)) == (1, 70)
    assert broken() == []


def test_two_addresses_of_one_person_take_them_once():
    partner = make_programme(credits=100)
    rule = create_rule(partner=partner, domain="green.example", credits=30)
    twins = [make_verified(f"ada+{number}@green.example") for number in range(RACERS)]
    said = at_once([attempt(join, rule=rule, user=one) for one in twins])
    assert Counter(said) == {"done": 1, "cannot_join_programme": RACERS - 1}
    assert in_pool(partner) == 70
    assert broken() == []


def test_never_one_credit_beyond_the_pool():
    partner = make_programme(credits=70)
    rule = create_rule(partner=partner, domain="green.example", credits=30)
    people = [make_verified(f"person{number}@green.example") for number in range(RACERS)]
    said = at_once([attempt(join, rule=rule, user=one) for one in people])
    assert Counter(said) == {"done": 2, "cannot_join_programme": RACERS - 2}
    assert in_pool(partner) == 10
    assert broken() == []
