"""The claim link: who gets in by it, with what, and who does not."""

import hashlib
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from apps.core.clock import database_now, moved_to
from apps.core.mail import LEASE
from apps.credits.models import Wallet
from apps.credits.selectors import balance_of
from apps.partners.errors import AlreadyInProgramme, ClaimNotOpen
from apps.partners.models import Partner, PartnerMember
from apps.partners.selectors.members import offered_to
from apps.partners.services import claiming, standing
from apps.partners.services.claims import extend
from apps.partners.services.members import NewMember, add_members
from apps.partners.services.programmes import set_status
from apps.partners.services.standing import Cause
from apps.rbac.errors import AddressNotVerified, InvitationForAnother
from apps.rbac.models import UserRole
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import AuditLog, User
from config.logs import hide_links
from tests.partners.awarding import give
from tests.partners.claiming import ADDRESS, make_invited_member, make_manager, send_links
from tests.partners.programme import make_members, make_programme
from tests.people import make_person, signed_in
from tests.rbac.inviting import PASSWORD, make_verified

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def partner():
    return make_programme(credits=1000)


@pytest.fixture
def invited(partner):
    (member,) = make_members(partner, ADDRESS)
    give(member, 25)
    (token,) = send_links()
    member.refresh_from_db()
    return member, token


@pytest.fixture
def member(invited):
    return invited[0]


@pytest.fixture
def link(invited):
    return f"/claims/{invited[1]}/"


def roles_of(user) -> list[str]:
    return list(UserRole.objects.filter(user=user).values_list("role__name", flat=True))


def is_refused_with(text: str, response) -> bool:
    return response.status_code in (403, 409) and text in response.content.decode()


class TestTheMail:
    def test_says_what_is_offered_and_has_a_link_that_is_kept_nowhere(self, member, link):
        letter = mail.outbox[-1]
        token = link.split("/")[2]
        assert letter.to == [ADDRESS]
        assert letter.subject == "25 credits from Green Neighbours"
        assert bytes(member.digest) == hashlib.sha256(token.encode()).digest()
        assert hide_links(None, "", {"path": link})["path"] == "/claims/cof_claim_…/"

    def test_is_not_sent_to_who_has_claimed_or_is_held_back(self, partner):
        first, second = make_members(partner, "a@example.com", "b@example.com")
        claiming.claim(member=first, user=make_verified("a@example.com"))
        standing.suspend(member=second, reason="who is this")
        PartnerMember.objects.update(mail_due_at=database_now())
        assert send_links() == []

    def test_link_lives_as_long_as_what_it_claims(self, partner):
        (member,) = make_members(partner, ADDRESS)
        until = database_now() + 90 * DAY
        give(member, 5, claim_by=until)
        send_links()
        member.refresh_from_db()
        assert member.link_expires_at == until

    def test_link_lives_as_long_as_an_offer_that_was_extended(self, invited):
        member, token = invited
        offer = member.awards.get()
        extend(award=offer, until=offer.expires_at + 60 * DAY)
        person = make_verified(ADDRESS)
        with moved_to(offer.expires_at + 59 * DAY):
            member = claiming.claim_by_link(member=member, user=person, token=token)
        assert balance_of(member.wallet).available == 25

    def test_goes_once_more_for_what_is_offered_later(self, member):
        give(member, 5)
        give(member, 10)
        (token,) = send_links()
        letter = mail.outbox[-1]
        assert letter.subject == "40 credits from Green Neighbours"
        assert claiming.find_claim(token) == member
        assert send_links() == []

    def test_goes_once_more_for_what_is_offered_while_it_goes(self, invited):
        member, _ = invited
        under_way = database_now() + LEASE
        PartnerMember.objects.filter(pk=member.pk).update(mail_due_at=under_way)
        give(member, 5)
        assert len(send_links()) == 1

    def test_of_a_new_link_ends_the_old_one(self, invited):
        member, old = invited
        PartnerMember.objects.filter(pk=member.pk).update(mail_due_at=database_now())
        (new,) = send_links()
        assert claiming.find_claim(old) is None
        assert claiming.find_claim(new) == member


class TestSomebodyWithAnAccount:
    def test_claims_by_one_press(self, member, link):
        person = make_verified(ADDRESS)
        client = signed_in(person)
        page = client.get(link).content.decode()
        assert "Claim 25 credits" in page
        assert roles_of(person) == []  # looking changes nothing

        assert client.post(link).url == f"/o/{member.organization.slug}/start/"
        member.refresh_from_db()
        assert (member.status, member.user) == ("active", person)
        assert Wallet.objects.get(pk=member.wallet_id).holder == person
        assert roles_of(person) == ["programme member"]
        assert offered_to(member) == 0
        assert member.awards.get().claimed_at is not None

    def test_claims_once_from_two_tabs(self, member, link):
        client = signed_in(make_verified(ADDRESS))
        assert {client.post(link).status_code for _ in range(2)} == {302}
        assert AuditLog.objects.filter(action="partner.claim").count() == 1
        assert client.get(link).url == f"/o/{member.organization.slug}/start/"

    def test_keeps_the_role_that_he_has_there(self, member, link):
        person = make_verified(ADDRESS)
        assign_role(user=person, role=system_role("developer"), organization=member.organization)
        signed_in(person).post(link)
        assert roles_of(person) == ["developer"]

    def test_is_refused_with_another_address(self, member, link):
        client = signed_in(make_verified("other@example.com"))
        assert is_refused_with("Sign out and go on", client.get(link))
        assert is_refused_with(ADDRESS, client.post(link))

    def test_is_refused_before_he_verified_the_address(self, member):
        person = make_person(email=ADDRESS)
        EmailAddress.objects.create(user=person, email=ADDRESS, verified=False)
        with pytest.raises(AddressNotVerified):
            claiming.claim(member=member, user=person)
        with pytest.raises(InvitationForAnother):
            claiming.claim(member=member, user=make_verified("other@example.com"))

    def test_is_one_member_whatever_his_addresses(self, partner, member):
        person = make_verified(ADDRESS)
        EmailAddress.objects.create(user=person, email="second@example.com", verified=True)
        claiming.claim(member=member, user=person)
        (second,) = make_members(partner, "second@example.com")
        with pytest.raises(AlreadyInProgramme):
            claiming.claim(member=second, user=person)

    def test_keeps_his_credits_under_another_address(self, member):
        person = make_verified(ADDRESS)
        claiming.claim(member=member, user=person)
        User.objects.filter(pk=person.pk).update(email="new@example.com")
        member.refresh_from_db()
        assert member.user == person
        assert Wallet.objects.get(pk=member.wallet_id).balance == 25


class TestSomebodyNew:
    def test_signs_up_and_claims_with_the_address_verified(self, client, member, link):
        form = {"full_name": "Ada New", "password": PASSWORD}
        assert "Sign up and claim" in client.get(link).content.decode()
        response = client.post(link, form)
        person = User.objects.get(email=ADDRESS)
        assert response.url == f"/o/{member.organization.slug}/start/"
        assert EmailAddress.objects.get(user=person).verified
        assert roles_of(person) == ["programme member"]

    def test_is_asked_to_sign_in_if_he_has_an_account(self, client, member, link):
        make_verified(ADDRESS)
        page = client.get(link).content.decode()
        assert f"/accounts/login/?next={link.replace('/', '%2F')}" in page
        client.post(link, {"full_name": "Ada", "password": PASSWORD})
        assert "_auth_user_id" not in client.session
        member.refresh_from_db()
        assert member.status == "invited"


class TestALinkThatOpensNothing:
    @pytest.mark.parametrize("token", ["cof_claim_short", f"cof_claim_{'x' * 43}", "x"])
    def test_is_not_found(self, client, token):
        assert client.get(f"/claims/{token}/").status_code == 404

    def test_is_past_its_time(self, member, link):
        with moved_to(database_now() + 60 * DAY):
            response = Client().get(link)
        assert is_refused_with("is past its time", response)

    def test_cannot_be_used_past_its_time(self, invited):
        member, token = invited
        person = make_verified(ADDRESS)
        later = moved_to(database_now() + 60 * DAY)
        with later, pytest.raises(ClaimNotOpen, match="past its time"):
            claiming.claim_by_link(member=member, user=person, token=token)

    def test_was_replaced_while_he_looked(self, invited):
        member, token = invited
        PartnerMember.objects.filter(pk=member.pk).update(digest=b"0" * 32)
        with pytest.raises(ClaimNotOpen, match="replaced"):
            claiming.claim_by_link(member=member, user=make_verified(ADDRESS), token=token)

    def test_is_held_back_by_the_programme(self, member, link):
        standing.suspend(member=member, reason="who is this")
        assert is_refused_with("held back", signed_in(make_verified(ADDRESS)).post(link))

    def test_was_used_by_somebody_else(self, member, link):
        other = make_verified(ADDRESS)
        claiming.claim(member=member, user=other)
        EmailAddress.objects.filter(user=other).delete()
        late = make_person(email="late@example.com")
        EmailAddress.objects.create(user=late, email=ADDRESS, verified=True)
        assert is_refused_with("was used already", signed_in(late).post(link))

    def test_is_of_somebody_who_was_removed(self, member, link):
        person = make_verified(ADDRESS)
        claiming.claim(member=member, user=person)
        standing.remove_member(member=member, cause=Cause.REMOVED)
        assert signed_in(person).post(link).status_code == 404
        assert roles_of(person) == []

    def test_is_of_an_organization_that_is_closed(self, member, link):
        organization = member.organization
        organization.is_active = False
        organization.save()
        assert is_refused_with("closed", Client().get(link))


def test_a_suspended_programme_keeps_what_it_offered(member, link):
    set_status(partner=member.partner, status=Partner.Status.SUSPENDED, reason="unpaid")
    client = signed_in(make_verified(ADDRESS))
    assert client.post(link).status_code == 302


def test_who_left_and_is_asked_back_claims_by_a_new_link_alone(partner):
    member, old = make_invited_member(partner)
    person = make_verified(ADDRESS)
    claiming.claim_by_link(member=member, user=person, token=old)
    standing.remove_member(member=member, cause=Cause.REMOVED)
    make_members(partner, ADDRESS)
    assert claiming.find_claim(old) is None
    (new,) = send_links()
    back = claiming.claim_by_link(member=member, user=person, token=new)
    assert (back.status, back.left_at) == ("active", None)
    assert roles_of(person) == ["programme member"]


class TestTheApi:
    def test_claims_by_the_secret(self, member, link):
        client = signed_in(make_verified(ADDRESS))
        token = link.split("/")[2]
        response = client.post(
            "/api/v1/partner/claim", {"token": token}, content_type="application/json"
        )
        assert response.json()["member_id"] == member.public_id

    def test_knows_no_other_secret(self):
        client = signed_in(make_verified(ADDRESS))
        response = client.post(
            "/api/v1/partner/claim",
            {"token": f"cof_claim_{'x' * 43}"},
            content_type="application/json",
        )
        assert response.status_code == 404


def test_the_manager_is_named_in_the_mail(partner):
    manager = make_manager(partner)
    manager.full_name = "Pia Perez"
    manager.save()
    add_members(partner=partner, people=[NewMember("bo@example.com")], by=manager)
    send_links()
    assert "Pia Perez invites you" in mail.outbox[-1].body
