"""What a programme changes of its members, and what becomes of their credits by it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail

from apps.core.clock import database_now, moved_to
from apps.credits.errors import WalletFrozen
from apps.credits.models import Wallet
from apps.partners.errors import (
    GroupExists,
    InvalidMemberAddress,
    MemberExists,
    MemberMailedRecently,
    MemberNotInvited,
    MemberNotThere,
    PartnerSuspended,
)
from apps.partners.models import MemberGroup, Partner, PartnerMember, PartnerTerms
from apps.partners.services import claiming, groups, reminders, standing
from apps.partners.services.programmes import Terms, set_status
from apps.partners.services.reminders import Reminded
from apps.partners.services.standing import Cause, known_of
from apps.rbac.models import UserRole
from apps.rbac.services import members as organization_members
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog
from tests.partners.awarding import give, in_pool, spend
from tests.partners.claiming import ADDRESS, make_claimed, make_invited_member, send_links
from tests.partners.programme import make_members, make_programme
from tests.rbac.inviting import make_verified

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def claimed(partner):
    return make_claimed(partner)


def wallet_of(member: PartnerMember) -> Wallet:
    return Wallet.objects.get(pk=member.wallet_id)


def remove(member: PartnerMember) -> PartnerMember:
    return standing.remove_member(member=member, cause=Cause.REMOVED, reason="moved away")


class TestHowAMemberIsKnown:
    def test_changes_and_leaves_his_credits_where_they_are(self, partner, claimed):
        give(claimed, 10)
        group = groups.create_group(partner=partner, name="North")
        known = replace(known_of(claimed), email="New@Example.com", last_name="L.", group=group)
        changed = standing.update_member(member=claimed, known=known)
        assert (changed.email, changed.last_name, changed.group) == ("new@example.com", "L.", group)
        assert wallet_of(changed).balance == 10
        assert changed.mail_due_at is None

    def test_another_address_of_the_invited_ends_the_old_link(self, partner):
        member, old = make_invited_member(partner)
        known = replace(known_of(member), email="new@example.com")
        standing.update_member(member=member, known=known)
        assert claiming.find_claim(old) is None
        (new,) = send_links()
        assert mail.outbox[-1].to == ["new@example.com"]
        assert claiming.find_claim(new) == member

    def test_is_refused_where_nobody_could_be_told_apart(self, partner, claimed):
        make_members(partner, "bo@example.com")
        for email, error in (("Bo@example.com", MemberExists), ("bo", InvalidMemberAddress)):
            with pytest.raises(error):
                known = replace(known_of(claimed), email=email)
                standing.update_member(member=claimed, known=known)

    def test_as_before_changes_nothing(self, claimed):
        standing.update_member(member=claimed, known=known_of(claimed))
        assert not AuditLog.objects.filter(action="partner.update_member").exists()


class TestSuspending:
    def test_freezes_the_wallet_until_it_is_lifted(self, claimed):
        give(claimed, 10)
        for _ in range(2):
            standing.suspend(member=claimed, reason="misuse")
        with pytest.raises(WalletFrozen):
            spend(claimed, 1)
        lifted = standing.lift(member=claimed, reason="cleared")
        assert lifted.status == "active"
        assert standing.lift(member=claimed).status == "active"
        spend(claimed, 1)
        actions = AuditLog.objects.filter(action__startswith="partner.suspend_member")
        assert actions.count() == 1

    def test_of_the_invited_lets_him_be_invited_again(self, partner):
        member, _ = make_invited_member(partner)
        standing.suspend(member=member, reason="misuse")
        assert standing.lift(member=member).status == "invited"
        assert send_links() == []  # his link has gone, and is good as it was

    def test_of_the_invited_before_his_link_went_lets_it_go_when_lifted(self, partner):
        (member,) = make_members(partner, ADDRESS)
        standing.suspend(member=member, reason="misuse")
        assert send_links() == []
        standing.lift(member=member)
        (token,) = send_links()
        assert claiming.find_claim(token) == member


class TestLeaving:
    @pytest.mark.parametrize(
        ("unused", "back"),
        [(PartnerTerms.Unused.RETURN, 94), (PartnerTerms.Unused.LAPSE, 90)],
    )
    def test_sends_what_is_unused_by_the_terms(self, unused, back):
        partner = make_programme(credits=100, terms=Terms(unused=unused))
        member = make_claimed(partner)
        give(member, 10)
        spend(member, 6)
        gone = remove(member)
        assert (gone.status, gone.user, gone.digest) == ("left", None, None)
        assert gone.left_at is not None
        assert (in_pool(partner), wallet_of(member).balance) == (back, 0)
        assert wallet_of(member).holder is None

    def test_takes_the_role_and_the_last_one_ends_the_membership(self, partner, claimed):
        person = claimed.user
        remove(claimed)
        assert not UserRole.objects.filter(user=person).exists()
        assert AuditLog.objects.filter(action="member.remove").count() == 1

    def test_leaves_the_roles_that_he_had_by_another_way(self, partner):
        person = make_verified(ADDRESS)
        for role in ("developer", "programme member"):
            assign_role(user=person, role=system_role(role), organization=partner.organization)
        (member,) = make_members(partner, ADDRESS)
        remove(claiming.claim(member=member, user=person))
        kept = UserRole.objects.filter(user=person).values_list("role__name", flat=True)
        assert list(kept) == ["developer"]
        assert AuditLog.objects.filter(action="role.remove").count() == 1

    def test_happens_once(self, claimed):
        first, again = remove(claimed), remove(claimed)
        assert first.left_at == again.left_at
        assert AuditLog.objects.filter(action="partner.remove_member").count() == 1

    def test_thaws_the_wallet_of_the_suspended_and_empties_it(self, partner, claimed):
        give(claimed, 10)
        standing.suspend(member=claimed, reason="misuse")
        remove(claimed)
        assert in_pool(partner) == 100
        assert wallet_of(claimed).frozen_at is None

    def test_comes_with_the_end_of_the_membership_of_the_organization(self, partner, claimed):
        give(claimed, 10)
        organization_members.leave(organization=partner.organization, user=claimed.user)
        claimed.refresh_from_db()
        assert claimed.status == "left"
        assert in_pool(partner) == 100
        assert AuditLog.objects.get(action="partner.remove_member").reason == "left"

    @pytest.mark.parametrize("deed", ["update", "suspend", "lift"])
    def test_is_the_end_of_everything_but_an_invitation(self, deed, claimed):
        remove(claimed)
        known = replace(known_of(claimed), first_name="Eve")
        deeds = {
            "update": lambda: standing.update_member(member=claimed, known=known),
            "suspend": lambda: standing.suspend(member=claimed, reason="misuse"),
            "lift": lambda: standing.lift(member=claimed),
        }
        with pytest.raises(MemberNotThere):
            deeds[deed]()


class TestReminding:
    def test_is_a_day_after_the_last_mail(self, partner):
        member, _ = make_invited_member(partner)
        with pytest.raises(MemberMailedRecently):
            reminders.remind(member=member)
        with moved_to(database_now() + DAY + HOUR):
            assert reminders.remind(member=member).reminders == 1
            with pytest.raises(MemberMailedRecently):
                reminders.remind(member=member)
            send_links()
        assert mail.outbox[-1].subject == "Reminder: Green Neighbours invites you"

    def test_a_lost_link_is_sent_again_sooner_and_is_no_reminder(self, partner):
        member, old = make_invited_member(partner)
        with pytest.raises(MemberMailedRecently):
            reminders.resend(member=member)
        with moved_to(database_now() + HOUR):
            assert reminders.resend(member=member).reminders == 0
            (new,) = send_links()
        assert claiming.find_claim(old) is None
        assert claiming.find_claim(new) == member

    def test_of_all_counts_whom_it_reminds(self, partner, claimed):
        (early,) = make_members(partner, "early@example.com")
        PartnerMember.objects.filter(pk=early.pk).update(created_at=database_now() - 2 * DAY)
        make_members(partner, "late@example.com")
        assert reminders.remind_all(partner=partner) == Reminded(reminded=1, too_soon=1)
        assert reminders.remind_all(partner=partner) == Reminded(reminded=0, too_soon=2)
        early.refresh_from_db()
        claimed.refresh_from_db()
        assert (early.reminders, claimed.reminders) == (1, 0)

    @pytest.mark.parametrize("write", [reminders.remind, reminders.resend])
    def test_is_for_the_invited_of_a_programme_that_goes_on(self, write, partner, claimed):
        with pytest.raises(MemberNotInvited):
            write(member=claimed)
        set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
        with pytest.raises(PartnerSuspended):
            write(member=claimed)

    def test_of_all_waits_while_the_programme_is_suspended(self, partner):
        set_status(partner=partner, status=Partner.Status.SUSPENDED, reason="unpaid")
        with pytest.raises(PartnerSuspended):
            reminders.remind_all(partner=partner)


class TestGroups:
    def test_have_names_of_their_own_whatever_their_capitals(self, partner):
        north = groups.create_group(partner=partner, name="North", cost_centre="4711")
        south = groups.create_group(partner=partner, name="South")
        with pytest.raises(GroupExists):
            groups.create_group(partner=partner, name="NORTH")
        with pytest.raises(GroupExists):
            groups.update_group(group=south, name="north", cost_centre="")
        assert groups.update_group(group=north, name="NORTH", cost_centre="").name == "NORTH"

    def test_are_compared_as_the_database_compares_them(self, partner):
        """Python and PostgreSQL make another small letter of the Turkish İ."""
        groups.create_group(partner=partner, name="İzmir")
        with pytest.raises(GroupExists):
            groups.create_group(partner=partner, name="İzmir")

    def test_of_another_programme_may_be_called_the_same(self, partner):
        groups.create_group(partner=partner, name="North")
        assert groups.create_group(partner=make_programme(name="Other"), name="North")

    def test_dissolve_and_leave_their_members(self, partner, claimed):
        group = groups.create_group(partner=partner, name="North")
        standing.update_member(member=claimed, known=replace(known_of(claimed), group=group))
        groups.remove_group(group=group)
        claimed.refresh_from_db()
        assert (claimed.group, claimed.status) == (None, "active")
        assert not MemberGroup.objects.exists()
        assert AuditLog.objects.filter(action="partner.remove_group").count() == 1
