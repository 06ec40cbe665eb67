"""Invitations: sending, sending again, ending, and what each refuses."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core import mail as core_mail
from apps.core.clock import moved_to
from apps.rbac.errors import (
    AlreadyMember,
    InvalidAddress,
    InvitationExists,
    InvitationLimitReached,
    InvitationNotOpen,
    InvitationSentRecently,
    RoleNotHeld,
    TooManyAddresses,
    UnknownRole,
)
from apps.rbac.models import Invitation, UserRole
from apps.rbac.selectors import find_role, invitations_in, invitations_of
from apps.rbac.services import accepting, invitations
from apps.rbac.services.roles import system_role
from apps.tenants.models import AuditLog, Organization
from tests.mails import send_round
from tests.people import make_member, make_organization, make_person
from tests.rbac.inviting import make_invitation, make_invited, send_mails

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


def later(**span):
    return moved_to(timezone.now() + timedelta(**span))


def resend(invitation, by):
    return invitations.resend(invitation=invitation, by=by)


class TestInvite:
    def test_keeps_the_address_in_lower_case_for_seven_days(self, organization, owner):
        invitation = make_invitation(organization, owner, email=" New@Example.COM ")

        assert invitation.email == "new@example.com"
        assert invitation.expires_at - invitation.created_at == timedelta(days=7)
        entry = AuditLog.objects.get(action="invitation.create", organization=organization)
        assert entry.after == {"email": "new@example.com", "role": "member"}

    def test_refuses_a_second_one_for_the_address(self, organization, owner):
        make_invitation(organization, owner)

        with pytest.raises(InvitationExists):
            make_invitation(organization, owner, email="NEW@example.com")

    def test_is_held_to_one_by_the_database_as_well(self, organization, owner):
        one = make_invitation(organization, owner)
        one.pk = None

        with pytest.raises(IntegrityError, match="one_live_invitation"), transaction.atomic():
            Invitation.objects.create(
                organization=organization,
                email=one.email,
                role=one.role,
                expires_at=one.expires_at,
            )

    def test_makes_room_once_the_first_is_past_its_time(self, organization, owner):
        first = make_invitation(organization, owner)

        with later(days=7, seconds=1):
            second = make_invitation(organization, owner)

        first.refresh_from_db()
        assert (first.status, second.status) == ("expired", "pending")

    def test_minds_only_its_own_organization(self, organization, owner):
        make_invitation(organization, owner)
        other = make_organization(owner=owner)

        assert make_invitation(other, owner).organization == other

    def test_refuses_a_member(self, organization, owner):
        member = make_member(organization, "member")

        with pytest.raises(AlreadyMember):
            make_invitation(organization, owner, email=member.email.upper())

    @pytest.mark.parametrize("email", ["", "ann", "ann@", "a b@example.com", "x" * 300 + "@a.de"])
    def test_refuses_what_is_no_address(self, organization, owner, email):
        with pytest.raises(InvalidAddress):
            make_invitation(organization, owner, email=email)

    def test_gives_no_role_above_the_inviters(self, organization):
        admin = make_member(organization, "admin")

        with pytest.raises(RoleNotHeld):
            make_invitation(organization, admin, role="owner")
        with pytest.raises(RoleNotHeld):
            make_invitation(organization, admin, role="billing manager")
        assert make_invitation(organization, admin, role="admin")

    @pytest.mark.parametrize("role", ["credit clerk", "king", "rol_01", ""])
    def test_knows_no_role_of_staff_and_no_other(self, organization, owner, role):
        with pytest.raises(UnknownRole):
            make_invitation(organization, owner, role=role)

    def test_stops_at_the_limit_of_a_day(self, organization, owner, settings):
        settings.INVITATIONS_PER_DAY = 2
        first = make_invitation(organization, owner, email="a@example.com")
        invitations.revoke(invitation=first)
        make_invitation(organization, owner, email="b@example.com")

        with pytest.raises(InvitationLimitReached):
            make_invitation(organization, owner, email="c@example.com")
        assert make_invitation(make_organization(owner=owner), owner)
        with later(hours=24, seconds=1):
            assert make_invitation(organization, owner, email="c@example.com")


class TestInviteMany:
    def invite(self, organization, by, emails, role="member"):
        return invitations.invite_many(
            organization=organization,
            emails=emails,
            role=find_role(organization, role),
            by=by,
        )

    def test_tells_for_each_row_what_became_of_it(self, organization, owner):
        member = make_member(organization, "member")
        pasted = ["a@example.com", "nonsense", "A@example.com", member.email, "b@example.com"]

        rows = self.invite(organization, owner, pasted)

        codes = [row.error.code if row.error else "invited" for row in rows]
        assert codes == [
            "invited",
            "invalid_address",
            "invitation_exists",
            "already_member",
            "invited",
        ]
        assert [row.number for row in rows] == [1, 2, 3, 4, 5]
        assert Invitation.objects.count() == 2

    def test_says_on_which_row_the_limit_was_reached(self, organization, owner, settings):
        settings.INVITATIONS_PER_DAY = 1

        rows = self.invite(organization, owner, ["a@example.com", "b@example.com"])

        assert [bool(row.invitation) for row in rows] == [True, False]
        assert rows[1].error.code == "invitation_limit_reached"

    def test_refuses_all_when_the_role_cannot_be_given(self, organization):
        with pytest.raises(RoleNotHeld):
            self.invite(organization, make_member(organization, "admin"), ["a@b.de"], "owner")

    def test_refuses_endless_lists(self, organization, owner):
        with pytest.raises(TooManyAddresses):
            self.invite(organization, owner, ["a@example.com"] * 201)


class TestMails:
    def test_carry_a_link_that_is_kept_nowhere(self, organization, owner):
        invitation, token = make_invited(organization, owner)

        kept = str(list(Invitation.objects.values())) + str(list(AuditLog.objects.values()))
        assert token not in kept
        assert accepting.find_invitation(token) == invitation
        assert invitation.sent_at is not None

    def test_say_who_invites_where_as_text_and_html(self, organization, owner):
        make_invited(organization, owner)

        (message,) = mail.outbox
        html = message.alternatives[0].content
        assert message.to == ["new@example.com"]
        assert message.subject == "Ada Acker invites you to Acme"
        for text in (message.body, html):
            assert "Ada Acker" in text
            assert "Acme" in text
            assert "http://testserver/invitations/cof_invite_" in text

    def test_escape_names_in_html(self, owner):
        organization = make_organization(owner=owner, name="<b>Acme</b>")
        make_invited(organization, owner)

        (message,) = mail.outbox
        assert "<b>Acme" not in message.alternatives[0].content
        assert "<b>Acme</b>" in message.body

    def test_go_out_once(self, organization, owner):
        make_invited(organization, owner)

        assert send_mails() == []

    def test_do_not_go_out_for_what_was_revoked(self, organization, owner):
        invitations.revoke(invitation=make_invitation(organization, owner))

        assert send_mails() == []

    def test_do_not_go_out_for_what_was_revoked_after_its_claim(self, organization, owner):
        invitation = make_invitation(organization, owner)
        queue = core_mail.queues()["invitations"]
        (claim,) = core_mail.claim_mails(queue.rows(), limit=10)
        invitations.revoke(invitation=invitation)

        assert core_mail._deliver(queue, claim) is None
        assert mail.outbox == []

    def test_leave_the_link_alone_of_what_was_sent_again_after_its_claim(self, organization, owner):
        invitation = make_invitation(organization, owner)
        queue = core_mail.queues()["invitations"]
        (claim,) = core_mail.claim_mails(queue.rows(), limit=10)
        with later(minutes=11):
            resend(invitation, owner)
            (token,) = send_mails()

            assert core_mail._deliver(queue, claim) is None
        assert accepting.find_invitation(token) == invitation
        assert len(mail.outbox) == 1

    def test_do_not_go_out_for_an_organization_that_nobody_can_join(self, organization, owner):
        make_invitation(organization, owner)
        Organization.objects.update(is_active=False)

        assert send_mails() == []

    def test_do_not_go_out_after_the_seven_days(self, organization, owner):
        make_invitation(organization, owner)

        with later(days=7, seconds=1):
            assert send_mails() == []

    def test_are_tried_again_with_a_new_link_when_the_server_fails(
        self, organization, owner, monkeypatch
    ):
        make_invitation(organization, owner)
        with monkeypatch.context() as patch:
            patch.setattr(core_mail, "send_mail", fail)
            assert send_round("invitations").failed == 1
        assert send_mails() == []

        with later(minutes=16):
            assert len(send_mails()) == 1

    def test_are_given_up_after_many_attempts(self, organization, owner, monkeypatch):
        invitation = make_invitation(organization, owner)
        monkeypatch.setattr(core_mail, "send_mail", fail)
        for attempt in range(core_mail.MOST_ATTEMPTS + 1):
            with later(minutes=16 * (2**attempt - 1)):
                send_round("invitations")

        invitation.refresh_from_db()
        assert (invitation.mail_due_at, invitation.sent_at) == (None, None)
        assert invitation.mail_attempts == core_mail.MOST_ATTEMPTS

    def test_of_one_that_fails_keep_no_other(self, organization, owner, monkeypatch):
        for name in "ab":
            make_invitation(organization, owner, email=f"{name}@example.com")
        real = core_mail.send_mail

        def fail_for_one(**fields):
            if fields["to"] == ["a@example.com"]:
                fail()
            real(**fields)

        monkeypatch.setattr(core_mail, "send_mail", fail_for_one)

        done = send_round("invitations")

        assert (done.mails, done.failed) == (1, 1)


def fail(**fields):
    raise OSError("no mail today")


class TestResend:
    def test_replaces_the_link_and_begins_the_seven_days_again(self, organization, owner):
        invitation, old = make_invited(organization, owner)

        with later(days=8):
            again = resend(invitation, owner)
            assert accepting.find_invitation(old) is None
            (new,) = send_mails()

        assert again.expires_at > invitation.expires_at
        assert accepting.find_invitation(old) is None
        assert accepting.find_invitation(new) == invitation
        assert AuditLog.objects.filter(action="invitation.resend").count() == 1

    def test_waits_longer_each_time(self, organization, owner):
        invitation = make_invitation(organization, owner)
        start, waited = timezone.now(), []

        for _ in range(5):
            with pytest.raises(InvitationSentRecently) as refusal, moved_to(start):
                resend(invitation, owner)
            waited.append(refusal.value.details["retry_after"])
            start += timedelta(seconds=waited[-1] + 1)
            with moved_to(start):
                resend(invitation, owner)

        hours = [round(seconds / 3600, 1) for seconds in waited]
        assert hours == [0.2, 1, 6, 24, 24]

    def test_counts_against_the_limit_of_a_day(self, organization, owner, settings):
        invitation = make_invitation(organization, owner)
        settings.INVITATIONS_PER_DAY = 1

        with later(minutes=11), pytest.raises(InvitationLimitReached):
            resend(invitation, owner)

    @pytest.mark.parametrize(("limit", "hours"), [(3, 12), (2, 18), (1, 20), (0, 24)])
    def test_says_when_the_limit_lets_one_through_again(
        self, organization, owner, settings, limit, hours
    ):
        """Sent at 0, 6 and 8 hours, asked at 12; a lower limit waits for more of them."""
        start = timezone.now()
        with moved_to(start):
            first = make_invitation(organization, owner)
        with moved_to(start + timedelta(hours=6)):
            make_invitation(organization, owner, email="b@example.com")
        with moved_to(start + timedelta(hours=8)):
            resend(first, owner)
        settings.INVITATIONS_PER_DAY = limit

        with moved_to(start + timedelta(hours=12)), pytest.raises(InvitationLimitReached) as over:
            make_invitation(organization, owner, email="c@example.com")

        wait = timedelta(seconds=over.value.details["retry_after"])
        assert wait == timedelta(hours=hours, seconds=1)
        if limit:
            with moved_to(start + timedelta(hours=12) + wait):
                assert make_invitation(organization, owner, email="c@example.com")

    def test_is_not_for_what_has_ended(self, organization, owner):
        invitation = invitations.revoke(invitation=make_invitation(organization, owner))

        with later(days=1), pytest.raises(InvitationNotOpen):
            resend(invitation, owner)

    def test_needs_the_rights_that_inviting_needs(self, organization, owner):
        invitation = make_invitation(organization, owner, role="owner")

        with later(days=1), pytest.raises(RoleNotHeld):
            resend(invitation, make_member(organization, "admin"))


class TestRevoke:
    def test_ends_it_once(self, organization, owner):
        invitation = make_invitation(organization, owner)

        first = invitations.revoke(invitation=invitation)
        again = invitations.revoke(invitation=invitation)

        assert first.ended_at == again.ended_at
        assert AuditLog.objects.filter(action="invitation.revoke").count() == 1

    def test_is_too_late_after_acceptance(self, organization, owner):
        invitation = make_invitation(organization, owner)
        Invitation.objects.update(status="accepted", ended_at=timezone.now(), mail_due_at=None)

        with pytest.raises(InvitationNotOpen):
            invitations.revoke(invitation=invitation)


class TestInvitationsIn:
    def test_tells_states_apart_as_people_see_them(self, organization, owner):
        open_one = make_invitation(organization, owner, email="a@example.com")
        late = make_invitation(organization, owner, email="b@example.com")
        Invitation.objects.filter(pk=late.pk).update(expires_at=timezone.now())
        revoked = make_invitation(organization, owner, email="c@example.com")
        invitations.revoke(invitation=revoked)
        make_invitation(make_organization(owner=owner), owner)
        rows, now = invitations_of(organization), timezone.now()

        found = {state: list(invitations_in(rows, state, now)) for state in Invitation.Status}

        assert found == {
            "pending": [open_one],
            "expired": [late],
            "revoked": [revoked],
            "accepted": [],
        }


def test_roles_of_nobody_change_by_inviting(organization, owner):
    make_invited(organization, owner)

    assert list(UserRole.objects.filter(organization=organization)) == list(
        UserRole.objects.filter(user=owner, role=system_role("owner"), organization=organization)
    )
