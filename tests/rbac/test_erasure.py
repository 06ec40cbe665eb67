"""A person has himself erased: who may, what stays, and that nothing names him afterwards."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from guardian.models import UserObjectPermission

from apps.core import chains, clock
from apps.core import mail as core_mail
from apps.core.invariants import verify
from apps.credits.models import CreditTransaction, Wallet
from apps.rbac.errors import ErasureNotPending, StaffStay, StillOwner
from apps.rbac.models import ApiKey, Erasure, Impersonation, PersonalExport, Share, UserRole
from apps.rbac.selectors.erasures import Identity
from apps.rbac.selectors.sharing import shares_with
from apps.rbac.services import erasures, forgetting
from apps.rbac.services.erasures import cancel_erasure, erase, erase_due, request_erasure
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.errors import NotConfirmed
from apps.tenants.models import AuditLog, Organization, PersonalValue, User
from apps.tenants.services import audit
from tests.mails import send
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key
from tests.races.racing import at_once
from tests.rbac.canaries import ask, found_in, leave_traces, sign_up_canary
from tests.rbac.looking import REASON, TICKET, make_support, start

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def canary(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    canary = sign_up_canary()
    leave_traces(canary)
    return canary


def request(person: User) -> Erasure:
    return request_erasure(user=person, confirmation=person.email)


class TestAnErasedPerson:
    def test_is_named_in_no_column_of_the_database(self, canary):
        searched, before = found_in(canary.words)
        places = {hit.partition(":")[0] for hit in before}

        assert erase(erasure=ask(canary))

        assert searched > 200
        assert {
            *("tenants_user.email", "account_emailaddress.email", "tenants_personalvalue.value"),
            *("tenants_organization.name", "tenants_organizationslug.slug"),
            *("rbac_invitation.email", "rbac_apikey.name", "rbac_impersonation.reason"),
            "rbac_impersonation.ticket",
            *("jobs_blobupload.filename", "core_idempotencykey.body"),
            *(
                "billing_subscriptionchange.reason",
                "billing_organizationsubscription.cancel_reason",
                "billing_billingdetails.legal_name",
                "billing_billingdetails.line1",
                "billing_billingdetails.po_number",
                "billing_billingdetails.emails",
                "billing_billingdocument.billed_to",
            ),
            *("django_admin_log.object_repr", "tenants_organization.billing_email"),
        } <= places
        assert found_in(canary.words)[1] == []

    @pytest.mark.parametrize("step", forgetting.STEPS[1:], ids=lambda step: step.__name__)
    def test_would_be_named_somewhere_without_each_step(self, canary, monkeypatch, step):
        """Without one that deletes no word, something of his would still work or stand."""
        monkeypatch.setattr(
            erasures, "STEPS", tuple(one for one in forgetting.STEPS if one is not step)
        )
        erase(erasure=ask(canary))

        left = found_in(canary.words)[1]
        roles = UserRole.objects.filter(user=canary.person).exists()
        now = clock.database_now()
        files = PersonalExport.objects.filter(status="ready", expires_at__gt=now).exists()
        assert left or roles or files

    def test_leaves_every_chain_and_invariant_whole(self, canary):
        rows, money = AuditLog.objects.count(), CreditTransaction.objects.count()

        erase(erasure=ask(canary))

        assert AuditLog.objects.count() > rows
        assert CreditTransaction.objects.count() >= money
        assert [one for one in chains.walk() if one.fault] == []
        assert [one for one in verify() if one.failures] == []

    def test_is_shown_as_erased_in_the_log(self, canary):
        entry = AuditLog.objects.get(action="user.update", object_id=canary.person.public_id)
        assert "Zandermere" in entry.after["full_name"]

        erase(erasure=ask(canary))

        entry = AuditLog.objects.get(pk=entry.pk)
        assert entry.after["full_name"] == "(erased)"
        assert entry.actor == f"user:{canary.person.public_id}"

    def test_cannot_sign_in_and_is_out_everywhere(self, canary):
        _, token = make_key(canary.own, canary.person, "organization:read")
        assert with_key(token).get("/api/v1/organization").status_code == 200

        erase(erasure=ask(canary))

        assert with_key(token).get("/api/v1/organization").status_code == 401
        assert not ApiKey.objects.filter(created_by=canary.person, revoked_at=None).exists()
        for client in canary.clients:
            assert "/accounts/login/" in client.get("/account/profile/")["Location"]
        answer = Client().post(
            "/accounts/login/", {"login": canary.person.email, "password": "a long enough secret"}
        )
        assert answer.status_code == 200
        person = User.objects.get(pk=canary.person.pk)
        assert not person.is_active
        assert not person.has_usable_password()

    def test_is_shown_nothing_any_more(self, canary):
        share = Share.objects.get(user=canary.person)
        assert list(shares_with(canary.person)) == [share]
        assert UserObjectPermission.objects.filter(user=canary.person).exists()

        erase(erasure=ask(canary))

        share.refresh_from_db()
        assert share.revoked_at is not None
        assert not UserObjectPermission.objects.filter(user=canary.person).exists()
        entry = AuditLog.objects.get(action="share.revoke")
        assert entry.organization_id == share.organization_id

    def test_leaves_no_ticket_of_a_look_in_his_place_and_others_as_they_are(self, canary):
        organization = Organization.objects.get(slug__startswith="acme")
        other = start(make_support(), make_member(organization, "member"), organization)
        start(make_support(), canary.person, organization)  # a number leads to a mail with his name
        his = Impersonation.objects.filter(user=canary.person)

        erase(erasure=ask(canary))

        assert set(his.values_list("reason", "ticket")) == {("(erased)", "(erased)")}
        other.refresh_from_db()
        assert (other.reason, other.ticket) == (REASON, TICKET)

    def test_takes_the_organization_that_was_his_alone(self, canary):
        erase(erasure=ask(canary))

        own = Organization.objects.get(pk=canary.own.pk)
        assert own.status == "closed"
        assert own.name == "Erased organization"
        assert not Wallet.objects.filter(organization=own, closed_at=None).exists()

    def test_leaves_what_others_are_called(self, canary):
        other = PersonalValue.objects.exclude(value__icontains="zandermere").filter(
            value__startswith="Hooli"
        )
        assert other.exists()

        erase(erasure=ask(canary))

        assert other.exists()

    def test_can_sign_up_anew(self, canary):
        email = canary.person.email
        erase(erasure=ask(canary))

        Client().post(
            "/accounts/signup/",
            {"email": email, "password1": "a long enough secret", "full_name": "New"},
        )

        assert User.objects.get(email=email).pk != canary.person.pk


class TestAnIdentity:
    @pytest.mark.parametrize(
        ("value", "is_his"),
        [
            ("jo@x.example", True),
            ("Mail JO@X.example, please", True),
            ("joan.jo@x.example", False),
            ("jo@x.example-shop", False),
            ("Jo", True),
            ("Jo Smith", False),
            ("Maximiliane Fey's key", True),
            ("Maximiliane Feyerabend", False),
        ],
    )
    def test_is_found_where_it_stands_and_not_within_others(self, value, is_his):
        organization = make_organization()
        with transaction.atomic():
            audit.record(action="x.y", organization=organization, after={"name": value})
        identity = Identity(frozenset({"jo@x.example"}), frozenset({"Jo", "Maximiliane Fey"}))

        kept = PersonalValue.objects.filter(value=value)
        assert kept.filter(identity.within("value")).exists() is is_his


class TestRequestErasure:
    def test_waits_for_seven_days(self):
        person = make_person()
        erasure = request(person)

        assert erase_due() == 0
        with clock.moved_to(erasure.due_at - timedelta(seconds=1)):
            assert erase_due() == 0
        with clock.moved_to(erasure.due_at):
            assert erase_due() == 1
        assert User.objects.get(pk=person.pk).full_name == "Erased person"

    def test_can_be_undone(self):
        person = make_person()
        erasure = request(person)
        cancel_erasure(user=person)

        with clock.moved_to(erasure.due_at):
            assert erase_due() == 0
        assert User.objects.get(pk=person.pk).is_active
        with pytest.raises(ErasureNotPending):
            cancel_erasure(user=person)

    def test_asked_twice_is_one(self):
        person = make_person()

        assert request(person) == request(person)

    def test_needs_the_address_typed(self):
        with pytest.raises(NotConfirmed):
            request_erasure(user=make_person(), confirmation="yes")

    @pytest.mark.parametrize("flags", [{"is_staff": True}, {"is_superuser": True}])
    def test_is_refused_to_staff(self, flags):
        with pytest.raises(StaffStay):
            request(make_person(**flags))

    def test_is_refused_to_who_has_a_role_everywhere(self):
        person = make_person()
        assign_role(user=person, role=system_role("credit clerk"), organization=None)

        with pytest.raises(StaffStay):
            request(person)

    def test_is_refused_to_the_only_owner_of_others(self):
        owner = make_person()
        organization = make_organization(owner=owner, name="Umbrella")
        make_member(organization, "admin")

        with pytest.raises(StillOwner, match="Umbrella"):
            request(owner)

        assert Organization.objects.get(pk=organization.pk).status == "active"

    def test_is_possible_beside_another_owner(self):
        owner = make_person()
        organization = make_organization(owner=owner)
        make_member(organization, "owner")

        erase(erasure=request(owner))

        assert Organization.objects.get(pk=organization.pk).status == "active"
        assert not UserRole.objects.filter(user=owner).exists()

    def test_closes_nothing_before_it_is_due(self):
        owner = make_person()
        organization = make_organization(owner=owner)

        request(owner)

        assert Organization.objects.get(pk=organization.pk).status == "active"

    def test_waits_a_day_more_where_somebody_joined_meanwhile(self):
        owner = make_person()
        organization = make_organization(owner=owner)
        erasure = request(owner)
        make_member(organization, "member")

        with clock.moved_to(erasure.due_at):
            assert erase_due() == 0

        erasure.refresh_from_db()
        assert erasure.refusal == "still_owner"
        assert erasure.status == Erasure.Status.PENDING
        assert User.objects.get(pk=owner.pk).is_active

    def test_that_breaks_waits_a_day_and_keeps_no_other(self, monkeypatch):
        broken, later = request(make_person()), request(make_person())
        assert broken.due_at <= later.due_at
        real = erasures.identity_of

        def fail_for_one(user):
            return 1 / 0 if user.pk == broken.user_id else real(user)

        monkeypatch.setattr(erasures, "identity_of", fail_for_one)

        with clock.moved_to(later.due_at):
            assert erase_due() == 1

        broken.refresh_from_db()
        assert (broken.status, broken.refusal) == (Erasure.Status.PENDING, "internal_error")
        assert broken.due_at == later.due_at + timedelta(days=1)
        monkeypatch.undo()
        with clock.moved_to(broken.due_at):
            assert erase_due() == 1

    def test_is_told_by_mail_once(self):
        person = make_person()
        request(person)
        mail.outbox.clear()

        assert send("erasures") == 1
        assert send("erasures") == 0
        assert mail.outbox[0].to == [person.email]
        assert "/account/privacy/" in mail.outbox[0].body

    def test_that_was_cancelled_after_its_claim_is_told_by_no_mail(self):
        person = make_person()
        request(person)
        mail.outbox.clear()
        queue = core_mail.queues()["erasures"]
        (claim,) = core_mail.claim_mails(queue.rows(), limit=10)
        cancel_erasure(user=person)

        assert core_mail._deliver(queue, claim) is None
        assert mail.outbox == []

    def test_runs_once_from_many_workers(self):
        erasure = request(make_person())

        assert sum(at_once([lambda: erase(erasure=erasure)] * 4)) == 1


class TestThePage:
    def test_asks_for_the_password_first(self):
        person = make_person(password="a long enough secret")

        answer = signed_in(person, is_fresh=False).post(
            "/account/privacy/", {"confirmation": person.email}
        )

        assert "reauthenticate" in answer["Location"]
        assert not Erasure.objects.exists()

    def test_asks_undoes_and_shows(self):
        person = make_person()
        client = signed_in(person)

        client.post("/account/privacy/", {"confirmation": person.email})
        page = client.get("/account/privacy/").content.decode()

        assert "Keep the account" in page
        client.post("/account/privacy/undo/")
        assert "Erase my account" in client.get("/account/privacy/").content.decode()

    def test_shows_what_was_typed_wrong(self):
        answer = signed_in(make_person()).post("/account/privacy/", {"confirmation": "no"})

        assert answer.status_code == 422
        assert re.search("Type .* to confirm", answer.content.decode())

    def test_says_what_stands_against_it(self):
        owner = make_person()
        make_member(make_organization(owner=owner, name="Umbrella"), "member")

        page = signed_in(owner).get("/account/privacy/").content.decode()

        assert "First hand over or close Umbrella" in page
        assert "Erase my account" not in page
