"""Who owns an organization: offers, answers, and the last owner, who stays."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from apps.core import clock
from apps.core import mail as core_mail
from apps.core.invariants import verify
from apps.core.mail import queues
from apps.rbac.errors import (
    LastOwner,
    MemberLimitReached,
    NotAMember,
    NotAnOwner,
    TransferEnded,
    TransferPending,
)
from apps.rbac.models import OwnershipTransfer, UserRole
from apps.rbac.selectors import members_of, open_transfer_of, owners_of
from apps.rbac.services.ownership import (
    accept_transfer,
    decline_transfer,
    request_transfer,
    step_down,
    withdraw_transfer,
)
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.standing import close_organization, reopen_organization
from tests.mails import send
from tests.people import make_member, make_organization, make_person
from tests.races.racing import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def heir(organization):
    return make_member(organization, "member", full_name="Bo Bilal")


@pytest.fixture
def transfer(organization, owner, heir):
    return request_transfer(organization=organization, from_user=owner, to_user=heir)


def role_names(user, organization) -> set[str]:
    roles = UserRole.objects.filter(user=user, organization=organization)
    return set(roles.values_list("role__name", flat=True))


class TestAnOffer:
    def test_changes_nothing_until_it_is_accepted(self, organization, owner, transfer):
        assert list(owners_of(organization)) == [owner]
        assert open_transfer_of(organization) == transfer

    def test_is_made_by_owners_alone(self, organization, heir):
        admin = make_member(organization, "admin")

        with pytest.raises(NotAnOwner):
            request_transfer(organization=organization, from_user=admin, to_user=heir)

    def test_goes_to_another_active_member(self, organization, owner):
        gone = make_member(organization, "member", is_active=False)

        for person in (owner, make_person(), gone):
            with pytest.raises(NotAMember):
                request_transfer(organization=organization, from_user=owner, to_user=person)

    def test_is_the_only_one(self, organization, owner, transfer):
        other = make_member(organization, "member")

        with pytest.raises(TransferPending):
            request_transfer(organization=organization, from_user=owner, to_user=other)

    def test_makes_room_for_another_once_it_has_expired(
        self, organization, owner, transfer, settings
    ):
        settings.MOVABLE_CLOCK = True
        other = make_member(organization, "member")

        with clock.moved_to(transfer.expires_at):
            second = request_transfer(organization=organization, from_user=owner, to_user=other)
            assert open_transfer_of(organization) == second

        transfer.refresh_from_db()
        assert transfer.status == "expired"


class TestAccepting:
    def test_swaps_owner_and_admin(self, organization, owner, heir, transfer):
        accept_transfer(transfer=transfer, user=heir)

        assert list(owners_of(organization)) == [heir]
        assert role_names(owner, organization) == {"admin"}
        actions = set(audit_log_of(organization).values_list("action", flat=True))
        assert actions >= {"ownership.request", "ownership.accept", "role.remove"}

    def test_is_for_the_one_who_was_asked(self, organization, owner, transfer):
        for person in (owner, make_member(organization, "admin"), make_person()):
            with pytest.raises(TransferEnded):
                accept_transfer(transfer=transfer, user=person)

        assert list(owners_of(organization)) == [owner]

    @pytest.mark.parametrize("answer", [accept_transfer, decline_transfer])
    def test_comes_before_the_end(self, heir, transfer, settings, answer):
        settings.MOVABLE_CLOCK = True

        with clock.moved_to(transfer.expires_at), pytest.raises(TransferEnded):
            answer(transfer=transfer, user=heir)

        with clock.moved_to(transfer.expires_at - timedelta(microseconds=1)):
            answer(transfer=transfer, user=heir)

    def test_happens_once(self, heir, transfer):
        accept_transfer(transfer=transfer, user=heir)

        with pytest.raises(TransferEnded):
            accept_transfer(transfer=transfer, user=heir)

    def test_needs_one_who_still_owns_it(self, organization, owner, heir, transfer):
        assign_role(user=make_person(), role=system_role("owner"), organization=organization)
        step_down(organization=organization, user=owner)

        with pytest.raises(TransferEnded):
            accept_transfer(transfer=transfer, user=heir)

        assert "owner" not in role_names(heir, organization)

    def test_needs_one_who_still_belongs_there(self, organization, owner, heir, transfer):
        UserRole.objects.filter(user=heir, organization=organization).delete()

        with pytest.raises(TransferEnded):
            accept_transfer(transfer=transfer, user=heir)

    @pytest.mark.django_db(transaction=True)
    def test_races_with_its_withdrawal(self, organization, owner, heir, transfer):
        def attempt(work, user):
            try:
                work(transfer=OwnershipTransfer.objects.get(pk=transfer.pk), user=user)
            except (TransferEnded, NotAnOwner):
                return None
            return work

        done = at_once(
            [
                lambda: attempt(accept_transfer, heir),
                lambda: attempt(withdraw_transfer, owner),
                lambda: attempt(decline_transfer, heir),
            ]
        )

        transfer.refresh_from_db()
        outcome = {"accepted": accept_transfer, "withdrawn": withdraw_transfer}
        assert [one for one in done if one] == [outcome.get(transfer.status, decline_transfer)]
        assert owners_of(organization).count() == 1


class TestEndingAnOffer:
    def test_by_declining_leaves_the_owner(self, organization, owner, heir, transfer):
        decline_transfer(transfer=transfer, user=heir)

        assert list(owners_of(organization)) == [owner]
        assert open_transfer_of(organization) is None

    def test_by_withdrawing_is_for_owners(self, organization, owner, heir, transfer):
        with pytest.raises(NotAnOwner):
            withdraw_transfer(transfer=transfer, user=heir)

        withdraw_transfer(transfer=transfer, user=owner)

        with pytest.raises(TransferEnded):
            accept_transfer(transfer=transfer, user=heir)


@pytest.mark.django_db(transaction=True)
class TestMails:
    def test_go_to_the_one_who_may_accept_and_back(self, owner, heir, transfer):
        assert send("transfers") == 1
        assert send("transfers") == 0
        accept_transfer(transfer=transfer, user=heir)
        assert send("transfers") == 1

        offer, answer = mail.outbox
        assert (offer.to, answer.to) == ([heir.email], [owner.email])
        assert "Ada Acker offers you Acme" in offer.subject
        assert "/o/acme/ownership/" in offer.body
        assert "accepted" in answer.subject
        assert offer.alternatives[0].mimetype == "text/html"

    def test_are_not_sent_for_what_was_withdrawn(self, owner, transfer):
        withdraw_transfer(transfer=transfer, user=owner)

        assert send("transfers") == 0

    def test_are_not_sent_for_what_was_withdrawn_after_its_claim(self, owner, transfer):
        queue = queues()["transfers"]
        (claim,) = core_mail.claim_mails(queue.rows(), limit=10)
        withdraw_transfer(transfer=transfer, user=owner)

        assert core_mail._deliver(queue, claim) is None
        assert mail.outbox == []

    def test_are_the_answer_alone_for_what_was_answered_after_its_claim(self, heir, transfer):
        queue = queues()["transfers"]
        (claim,) = core_mail.claim_mails(queue.rows(), limit=10)
        decline_transfer(transfer=transfer, user=heir)

        assert core_mail._deliver(queue, claim) is None
        assert send("transfers") == 1
        assert ["declined" in one.subject for one in mail.outbox] == [True]

    @pytest.mark.parametrize("status", ["withdrawn", "expired"])
    def test_are_never_an_answer_that_nobody_gave(self, transfer, status):
        OwnershipTransfer.objects.update(status=status, ended_at=transfer.created_at)

        assert send("transfers") == 0
        assert mail.outbox == []

    def test_are_not_sent_for_what_has_run_out(self, transfer, settings):
        settings.MOVABLE_CLOCK = True

        with clock.moved_to(transfer.expires_at):
            assert send("transfers") == 0

    def test_are_not_sent_to_who_cannot_sign_in(self, heir, transfer):
        type(heir).objects.filter(pk=heir.pk).update(is_active=False)

        assert send("transfers") == 0

    def test_of_the_answer_have_all_their_attempts(self, heir, transfer):
        OwnershipTransfer.objects.update(mail_attempts=core_mail.MOST_ATTEMPTS)
        decline_transfer(transfer=transfer, user=heir)

        assert send("transfers") == 1

    def test_are_tried_again_when_the_server_was_away(self, transfer, settings, monkeypatch):
        def fail(**kwargs):
            raise OSError

        settings.MOVABLE_CLOCK = True
        with monkeypatch.context() as broken:
            broken.setattr("apps.core.mail.send_mail", fail)
            assert send("transfers") == 0

        assert send("transfers") == 0
        with clock.moved_to(transfer.created_at + timedelta(minutes=16)):
            assert send("transfers") == 1


class TestTheLastOwner:
    def test_does_not_step_down(self, organization, owner):
        with pytest.raises(LastOwner):
            step_down(organization=organization, user=owner)

        assert list(owners_of(organization)) == [owner]

    def test_is_not_one_whose_account_is_shut(self, organization, owner):
        make_member(organization, "owner", is_active=False)

        with pytest.raises(LastOwner):
            step_down(organization=organization, user=owner)

    def test_steps_down_beside_another(self, organization, owner):
        other = make_member(organization, "owner")

        step_down(organization=organization, user=owner)

        assert list(owners_of(organization)) == [other]
        assert role_names(owner, organization) == {"admin"}

    def test_is_nobody_who_never_was(self, organization, heir):
        with pytest.raises(NotAnOwner):
            step_down(organization=organization, user=heir)

    @pytest.mark.django_db(transaction=True)
    def test_remains_when_two_step_down_at_once(self, organization, owner):
        owners = [owner, make_member(organization, "owner")]

        def go(person):
            try:
                step_down(organization=organization, user=person)
            except LastOwner:
                return False
            return True

        gone = at_once([lambda one=one: go(one) for one in owners])

        assert sorted(gone) == [False, True]
        assert owners_of(organization).count() == 1


class TestTheDatabase:
    def test_refuses_to_lose_the_last_owner(self, organization, owner):
        owning = UserRole.objects.filter(organization=organization, user=owner)
        member = system_role("member")

        for loss in (owning.delete, lambda: owning.update(role=member), owner.delete):
            with pytest.raises(IntegrityError, match="no owner"), transaction.atomic():
                loss()

    def test_refuses_an_organization_without_owner(self):
        with pytest.raises(IntegrityError, match="no owner"), transaction.atomic():
            Organization.objects.create(name="Nobody's", slug="nobodys")
            with transaction.get_connection().cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_lets_a_closed_one_go_without_and_not_reopen(self, organization, owner):
        close_organization(organization=organization, confirmation=organization.slug)
        UserRole.objects.filter(organization=organization, user=owner).delete()

        with pytest.raises(LastOwner):
            reopen_organization(organization=organization)
        with pytest.raises(IntegrityError, match="no owner"), transaction.atomic():
            Organization.objects.filter(pk=organization.pk).update(closed_at=None)
            with transaction.get_connection().cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    @pytest.mark.django_db(transaction=True)
    def test_keeps_one_of_two_whose_roles_are_deleted_at_once(self, organization, owner):
        owners = [owner, make_member(organization, "owner")]

        def delete(person):
            try:
                UserRole.objects.filter(organization=organization, user=person).delete()
            except IntegrityError:
                return False
            return True

        for _ in range(5):
            gone = at_once([lambda one=one: delete(one) for one in owners])
            assert sorted(gone) == [False, True]
            for person in owners:
                assign_role(user=person, role=system_role("owner"), organization=organization)

        assert [found for found in verify() if found.failures] == []


class TestSeats:
    def limit(self, organization, most):
        Organization.objects.filter(pk=organization.pk).update(max_users=most)

    def test_are_not_more_than_the_limit(self, organization):
        self.limit(organization, 2)
        make_member(organization, "member")

        with pytest.raises(MemberLimitReached):
            make_member(organization, "member")

        assert members_of(organization).count() == 2

    def test_are_counted_by_person(self, organization, owner):
        self.limit(organization, 1)

        assign_role(user=owner, role=system_role("developer"), organization=organization)

        assert members_of(organization).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_are_not_taken_twice_at_once(self, organization):
        self.limit(organization, 3)
        people = [make_person() for _ in range(6)]

        def join(person):
            try:
                assign_role(user=person, role=system_role("member"), organization=organization)
            except MemberLimitReached:
                return False
            return True

        joined = at_once([lambda one=one: join(one) for one in people])

        assert joined.count(True) == 2
        assert members_of(organization).count() == 3
