"""Rules: whoever has a verified address at a domain joins by himself, and gets credits once."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.errors import NotFound
from apps.credits.selectors import main_wallet
from apps.credits.services.wallets import change_status
from apps.partners.errors import PartnerSuspended
from apps.partners.errors.asking import (
    AwardRuleEnded,
    AwardRuleExists,
    CannotJoin,
    InvalidAwardRule,
)
from apps.partners.models import AwardRule, Partner, PartnerCredit, PartnerMember
from apps.partners.models.domains import PUBLIC, checked_domain
from apps.partners.selectors.rules import open_rule, open_rules
from apps.partners.services.campaigns import Plan, create_campaign, end_campaign
from apps.partners.services.joining import join
from apps.partners.services.programmes import Terms, set_status
from apps.partners.services.rules import change_rule, create_rule, end_rule
from apps.tenants.models import AuditLog, Organization
from tests.partners.awarding import in_hand, in_pool
from tests.partners.programme import make_members, make_programme
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule(partner):
    return create_rule(partner=partner, domain="@Green.Example ", credits=30)


@pytest.fixture
def ada():
    return make_verified("ada@green.example")


def make_campaign(partner, **changes):
    begins_at = timezone.now() - timedelta(days=1)
    plan = Plan(**{"name": "Spring", "budget": 100, "begins_at": begins_at, **changes})
    return create_campaign(partner=partner, plan=plan)


def add_address(person, email, *, verified=True):
    return EmailAddress.objects.create(user=person, email=email, verified=verified)


class TestARule:
    def test_is_for_one_domain_however_it_is_written(self, partner, rule):
        assert (rule.domain, rule.is_active) == ("green.example", True)
        with pytest.raises(AwardRuleExists):
            create_rule(partner=partner, domain="GREEN.example", credits=1)
        assert AuditLog.objects.filter(action="award_rule.create").count() == 1

    @pytest.mark.parametrize("domain", ["", "example", "a b.example", "x@y.example", "-.example"])
    def test_is_for_a_domain_that_can_be(self, partner, domain):
        with pytest.raises(InvalidAwardRule) as refused:
            create_rule(partner=partner, domain=domain, credits=1)
        assert refused.value.details["field"] == "domain"

    @pytest.mark.parametrize("domain", ["gmail.com", "GMX.de", "@outlook.com"])
    def test_is_for_no_domain_where_anybody_gets_an_address(self, partner, domain):
        with pytest.raises(InvalidAwardRule, match="Anybody can have an address"):
            create_rule(partner=partner, domain=domain, credits=1)

    @pytest.mark.parametrize("credits", [0, 10**9 + 1])
    def test_gives_a_number_of_credits_that_can_be(self, partner, rule, credits):
        with pytest.raises(InvalidAwardRule):
            create_rule(partner=partner, domain="other.example", credits=credits)
        with pytest.raises(InvalidAwardRule):
            change_rule(rule=rule, credits=credits, campaign=None)

    def test_is_within_a_campaign_of_its_own_programme_that_is_not_over(self, partner, rule):
        theirs = make_campaign(make_programme(name="Another"))
        with pytest.raises(NotFound):
            change_rule(rule=rule, credits=30, campaign=theirs)
        over = end_campaign(campaign=make_campaign(partner))
        with pytest.raises(InvalidAwardRule):
            create_rule(partner=partner, domain="other.example", credits=1, campaign=over)

    def test_is_changed_until_it_has_ended(self, partner, rule):
        campaign = make_campaign(partner)
        changed = change_rule(rule=rule, credits=5, campaign=campaign)
        assert (changed.credits, changed.campaign) == (5, campaign)
        change_rule(rule=rule, credits=5, campaign=campaign)
        assert AuditLog.objects.filter(action="award_rule.change").count() == 1
        end_rule(rule=rule)
        end_rule(rule=rule)
        assert AuditLog.objects.filter(action="award_rule.end").count() == 1
        with pytest.raises(AwardRuleEnded):
            change_rule(rule=rule, credits=6, campaign=None)
        assert create_rule(partner=partner, domain="green.example", credits=1).is_active

    def test_is_made_by_no_suspended_programme(self, partner):
        set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
        with pytest.raises(PartnerSuspended):
            create_rule(partner=partner, domain="green.example", credits=1)

    def test_knows_public_domains_as_they_are_kept(self):
        for domain in PUBLIC:
            assert domain == domain.lower().strip()
            with pytest.raises(ValueError, match="Anybody"):
                checked_domain(domain)


class TestWhatIsOpen:
    def test_is_what_ones_verified_addresses_open(self, rule, ada):
        assert list(open_rules(ada)) == [rule]
        assert open_rule(ada, rule.public_id).is_taken is False

    @pytest.mark.parametrize(
        "email",
        ["ada@sub.green.example", "ada@notgreen.example", "ada@green.example.com", "ada@example"],
    )
    def test_is_of_exactly_the_domain(self, rule, email):
        assert not open_rules(make_verified(email)).exists()

    def test_is_nothing_for_an_address_that_nobody_verified(self, rule):
        person = make_verified("ada@elsewhere.example")
        add_address(person, "ada@green.example", verified=False)
        assert not open_rules(person).exists()
        with pytest.raises(NotFound):
            open_rule(person, rule.public_id)
        with pytest.raises(CannotJoin, match="verified addresses"):
            join(rule=rule, user=person)

    def test_is_nothing_once_the_rule_the_programme_or_the_organization_is_shut(self, rule, ada):
        partner = rule.partner
        set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
        assert not open_rules(ada).exists()
        set_status(partner=partner, status=Partner.Status.ACTIVE, reason="paid")
        Organization.objects.filter(pk=partner.organization_id).update(is_active=False)
        assert not open_rules(ada).exists()
        Organization.objects.filter(pk=partner.organization_id).update(is_active=True)
        end_rule(rule=rule)
        assert not open_rules(ada).exists()

    def test_is_listed_by_two_queries(self, rule, ada, django_assert_num_queries):
        for number in range(5):
            other = make_programme(name=f"Other {number}")
            create_rule(partner=other, domain="green.example", credits=1)
        with django_assert_num_queries(2):
            assert len([one.partner.name for one in open_rules(ada)]) == 6


class TestJoining:
    def test_makes_a_member_with_the_credits(self, partner, rule, ada):
        member = join(rule=rule, user=ada)
        assert (member.status, member.user, member.email) == ("active", ada, "ada@green.example")
        assert (in_pool(partner), in_hand(member)) == (70, 30)
        award = PartnerCredit.objects.get()
        assert (award.source, award.rule) == ("rule", rule)
        assert award.key == f"rule:{rule.public_id}:{member.public_id}"
        assert open_rule(ada, rule.public_id).is_taken is True

    def test_twice_is_once_even_if_the_rule_gives_otherwise_by_now(self, rule, ada):
        first = join(rule=rule, user=ada)
        change_rule(rule=rule, credits=31, campaign=None)
        assert join(rule=rule, user=ada) == first
        assert (PartnerCredit.objects.count(), in_hand(first)) == (1, 30)
        assert AuditLog.objects.filter(action="award_rule.take").count() == 1

    def test_claims_what_was_offered_before(self, partner, rule, ada):
        (invited,) = make_members(partner, "ADA@green.example")
        member = join(rule=rule, user=ada)
        assert (member, member.status) == (invited, "active")

    def test_gives_who_is_a_member_already_his_credits_where_he_has_them(self, partner, rule):
        person = make_verified("ada@home.example")
        (member,) = make_members(partner, "ada@home.example")
        PartnerMember.objects.filter(pk=member.pk).update(
            status="active", user=person, claimed_at=timezone.now()
        )
        add_address(person, "ada@green.example")
        assert join(rule=rule, user=person) == member
        assert in_hand(member) == 30

    @pytest.mark.parametrize("twin", ["ada+2@green.example", "Ada+x@GREEN.example"])
    def test_is_once_a_person_whatever_stands_after_the_plus(self, partner, rule, ada, twin):
        join(rule=rule, user=ada)
        with pytest.raises(CannotJoin, match="another of your addresses"):
            join(rule=rule, user=make_verified(twin.lower()))
        assert PartnerCredit.objects.count() == 1
        assert not PartnerMember.objects.filter(email=twin.lower()).exists()

    def test_is_once_a_person_who_is_a_member_by_another_address(self, partner, rule):
        person = make_verified("ada@home.example")
        (member,) = make_members(partner, "ada@home.example")
        PartnerMember.objects.filter(pk=member.pk).update(
            status="active", user=person, claimed_at=timezone.now()
        )
        add_address(person, "ada@green.example")
        join(rule=rule, user=person)
        with pytest.raises(CannotJoin, match="another of your addresses"):
            join(rule=rule, user=make_verified("ada+2@green.example"))

    def test_is_for_others_whose_names_only_look_alike(self, partner, rule, ada):
        join(rule=rule, user=ada)
        join(rule=rule, user=make_verified("adam@green.example"))
        join(rule=rule, user=make_verified("a_a@green.example"))
        assert PartnerCredit.objects.count() == 3

    @pytest.mark.parametrize("status", ["suspended", "left"])
    def test_lets_nobody_back_in_who_was_sent_away(self, partner, rule, ada, status):
        (member,) = make_members(partner, ada.email)
        left_at = timezone.now() if status == "left" else None
        PartnerMember.objects.filter(pk=member.pk).update(status=status, left_at=left_at)
        with pytest.raises(CannotJoin, match="suspended or removed"):
            join(rule=rule, user=ada)

    def test_takes_nobody_elses_membership(self, partner, rule, ada):
        (member,) = make_members(partner, ada.email)
        PartnerMember.objects.filter(pk=member.pk).update(
            status="active", user=make_verified("eve@home.example"), claimed_at=timezone.now()
        )
        with pytest.raises(CannotJoin, match="another account"):
            join(rule=rule, user=ada)

    def test_by_a_rule_that_has_ended_is_refused(self, rule, ada):
        end_rule(rule=rule)
        with pytest.raises(AwardRuleEnded):
            join(rule=rule, user=ada)

    @pytest.mark.parametrize(
        "limit", ["pool", "seats", "budget", "window", "suspended", "frozen", "closed"]
    )
    def test_that_cannot_be_given_changes_nothing_and_tells_no_sums(self, ada, limit):
        partner = make_programme(
            credits=29 if limit == "pool" else 100,
            terms=Terms(seat_limit=0 if limit == "seats" else 5),
        )
        campaign = make_campaign(partner, budget=29 if limit == "budget" else 100)
        rule = create_rule(partner=partner, domain="green.example", credits=30, campaign=campaign)
        if limit == "window":
            end_campaign(campaign=campaign)
        if limit == "suspended":
            set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
        if limit in ("frozen", "closed"):
            pool = main_wallet(partner.organization)
            change_status(wallet=pool, reason="a case", **{f"is_{limit}": True})
        with pytest.raises(CannotJoin) as refused:
            join(rule=rule, user=ada)
        assert "cannot give these credits now" in str(refused.value)
        assert set(refused.value.details) == {"name", "problem"}
        assert not PartnerMember.objects.exists()
        assert not PartnerCredit.objects.exists()


def test_joining_asks_as_often_in_a_large_programme(partner, rule, ada, django_assert_num_queries):
    join(rule=rule, user=ada)
    eve, bob = make_verified("eve@green.example"), make_verified("bob@green.example")
    with CaptureQueriesContext(connection) as alone:
        join(rule=rule, user=eve)
    make_members(partner, *(f"other{number}@green.example" for number in range(20)))
    with django_assert_num_queries(len(alone)):
        join(rule=rule, user=bob)
    assert AwardRule.objects.count() == 1
