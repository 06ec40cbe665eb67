"""Who may look in whose place, for how long, and who is told."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction

from apps.core import clock, context
from apps.core import mail as core_mail
from apps.core.errors import PermissionDenied
from apps.core.invariants import verify
from apps.rbac.errors import CannotImpersonate, NotAMember, ReasonRequired
from apps.rbac.models import Impersonation
from apps.rbac.selectors import impersonations_in
from apps.rbac.services.impersonations import end_impersonation, end_late_impersonations
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.selectors import audit_log_of
from apps.tenants.services.standing import deactivate_organization
from tests.mails import send, send_round
from tests.people import make_key, make_member, make_organization, make_person, signed_in, with_key
from tests.races.racing import at_once
from tests.rbac.looking import REASON, TICKET, make_support, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_person(full_name="Ada Acker")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def member(organization):
    return make_member(organization, "member", full_name="Mei Mensah")


@pytest.fixture
def support():
    return make_support()


class TestStartImpersonation:
    def test_lasts_an_hour_and_says_why(self, support, member, organization):
        row = start(support, member, organization)

        assert row.expires_at - row.started_at == timedelta(minutes=60)
        assert (row.reason, row.ticket, row.ended_at) == (REASON, TICKET, None)

    def test_writes_both_people_into_the_organizations_log(self, support, member, organization):
        row = start(support, member, organization)

        entry = audit_log_of(organization).get(action="impersonation.start")
        assert entry.actor == f"user:{support.public_id}"
        assert entry.acting_as == f"user:{member.public_id}"
        assert entry.object_id == row.public_id
        assert entry.after["ticket"] == TICKET

    def test_is_refused_to_who_has_no_such_role(self, member, organization):
        staff = make_person(is_staff=True)

        with pytest.raises(PermissionDenied):
            start(staff, member, organization)

    def test_is_refused_to_who_is_not_staff(self, member, organization):
        person = make_person()
        assign_role(user=person, role=system_role("support"), organization=None)

        with pytest.raises(PermissionDenied):
            start(person, member, organization)

    @pytest.mark.parametrize("fields", [{"reason": "  look   "}, {"ticket": " "}])
    def test_needs_a_reason_and_a_ticket(self, support, member, organization, fields):
        with pytest.raises(ReasonRequired):
            start(support, member, organization, **fields)

    @pytest.mark.parametrize(
        "flags", [{"is_staff": True}, {"is_superuser": True}, {"is_active": False}]
    )
    def test_is_never_of_staff_or_who_cannot_sign_in(self, support, organization, flags):
        other = make_member(organization, "member", **flags)

        with pytest.raises(CannotImpersonate):
            start(support, other, organization)

    def test_is_never_of_who_has_a_role_everywhere(self, support, member, organization):
        assign_role(user=member, role=system_role("credit clerk"), organization=None)

        with pytest.raises(CannotImpersonate):
            start(support, member, organization)

    def test_is_never_of_oneself(self, support, organization):
        assign_role(user=support, role=system_role("member"), organization=organization)

        with pytest.raises(CannotImpersonate):
            start(support, support, organization)

    def test_is_of_a_member_of_that_organization(self, support, member):
        with pytest.raises(NotAMember):
            start(support, member, make_organization(name="Other"))

    def test_is_refused_where_the_organization_is_not_active(self, support, member, organization):
        deactivate_organization(organization=organization, reason="Unpaid for months")
        organization.refresh_from_db()

        with pytest.raises(NotAMember):
            start(support, member, organization)

    def test_ends_what_was_open(self, support, member, organization, owner):
        first = start(support, member, organization)
        start(support, owner, organization)

        first.refresh_from_db()
        assert first.end_cause == Impersonation.Cause.REPLACED


class TestTheDatabase:
    def test_keeps_the_end(self, support, member, organization):
        row = start(support, member, organization)

        with pytest.raises(IntegrityError, match="an_hour_at_most"), transaction.atomic():
            Impersonation.objects.update(expires_at=row.started_at + timedelta(minutes=61))

    def test_keeps_one_open_at_a_time(self, support, member, organization):
        row = start(support, member, organization)

        row.pk, row._state.adding = None, True
        with pytest.raises(IntegrityError), transaction.atomic():
            Impersonation(
                **{
                    field.attname: getattr(row, field.attname)
                    for field in row._meta.fields
                    if field.name not in ("id", "created_at")
                }
            ).save(force_insert=True)


@pytest.mark.django_db(transaction=True)
class TestStartImpersonationTogether:
    def test_leaves_one_open(self):
        organization = make_organization()
        member, support = make_member(organization, "member"), make_support()

        at_once([lambda: start(support, member, organization)] * 4)

        rows = Impersonation.objects.filter(staff_user=support)
        assert rows.count() == 4
        assert rows.filter(ended_at=None).count() == 1


class TestEndImpersonation:
    def test_is_written_down_once(self, support, member, organization):
        row = start(support, member, organization)

        for _ in range(2):
            end_impersonation(impersonation=row, cause=Impersonation.Cause.STOPPED)

        entry = audit_log_of(organization).get(action="impersonation.stop")
        assert entry.after == {"cause": "stopped"}
        assert entry.acting_as == f"user:{member.public_id}"

    def test_comes_by_itself_when_the_hour_is_up(self, support, member, organization):
        row = start(support, member, organization)
        assert end_late_impersonations() == 0

        with clock.moved_to(row.expires_at + timedelta(minutes=7)):
            assert end_late_impersonations() == 1

        row.refresh_from_db()
        assert (row.ended_at, row.end_cause) == (row.expires_at, Impersonation.Cause.TIME)


@pytest.mark.django_db(transaction=True)
class TestMailImpersonations:
    def test_tells_owners_and_the_member_each_alone_and_once(self):
        owner = make_person(full_name="Ada Acker")
        organization = make_organization(owner=owner)
        member = make_member(organization, "member", full_name="Mei Mensah")
        start(make_support(), member, organization)
        mail.outbox.clear()

        assert send("impersonations") == 1
        assert send("impersonations") == 0

        assert sorted(one.to for one in mail.outbox) == sorted([[owner.email], [member.email]])
        for one in mail.outbox:
            assert REASON in one.body
            assert "Sol Support" not in one.body
            assert f"/o/{organization.slug}/audit/support/" in one.body

    def test_are_given_up_for_one_alone_whose_address_is_refused(self, settings, monkeypatch):
        """The others are told, and once; he is tried again."""
        settings.MOVABLE_CLOCK = True
        organization = make_organization(owner=make_person(email="b@example.com"))
        make_member(organization, "owner", email="c@example.com")
        member = make_member(organization, "member", email="a@example.com")
        row = start(make_support(), member, organization)
        mail.outbox.clear()
        tried, real = [], core_mail.send_mail

        def refuse_one(**fields):
            tried.append(fields["to"][0])
            if fields["to"] == ["b@example.com"]:
                raise OSError("550 no such mailbox")
            real(**fields)

        monkeypatch.setattr(core_mail, "send_mail", refuse_one)
        for _ in range(core_mail.MOST_ATTEMPTS):
            row.refresh_from_db()
            with clock.moved_to(row.mail_due_at):
                assert send_round("impersonations").failed == 1
        row.refresh_from_db()

        assert Counter(tried) == {"a@example.com": 1, "c@example.com": 1, "b@example.com": 8}
        assert [one.to for one in mail.outbox] == [["a@example.com"], ["c@example.com"]]
        assert (row.mail_due_at, row.sent_at, len(row.told)) == (None, None, 2)


class TestTheOrganizationSees:
    def test_it_on_a_page(self, support, member, organization, owner):
        start(support, member, organization)

        page = signed_in(owner).get(f"/o/{organization.slug}/audit/support/").content.decode()

        assert REASON in page
        assert "Sol Support" not in page  # staff are Support to customers
        assert "Looking now" in page

    def test_it_by_api(self, support, member, organization, owner):
        row = start(support, member, organization)
        _, token = make_key(organization, owner, "audit:read")

        data = with_key(token).get("/api/v1/organization/impersonations").json()["data"]

        assert [one["id"] for one in data] == [row.public_id]
        assert data[0]["reason"] == REASON
        assert "Sol Support" not in str(data)

    def test_nothing_of_another_organization(self, support, member, organization):
        start(support, member, organization)
        stranger = make_person()
        other = make_organization(owner=stranger, name="Other")

        page = signed_in(stranger).get(f"/o/{other.slug}/audit/support/")

        assert REASON not in page.content.decode()
        assert not impersonations_in(other)
        assert signed_in(stranger).get(f"/o/{organization.slug}/audit/support/").status_code == 404

    def test_it_only_who_may_see_the_log(self, member, organization):
        page = signed_in(member).get(f"/o/{organization.slug}/audit/support/")

        assert page.status_code == 403


class TestTheInvariant:
    def find(self):
        return next(one for one in verify() if one.invariant.code == "R10")

    def test_counts_each_look(self, support, member, organization):
        start(support, member, organization)
        start(support, member, organization)

        assert (self.find().examined, self.find().failures) == (2, 0)

    def test_finds_one_that_was_written_past_the_service(self, support, member, organization):
        now = clock.database_now()
        Impersonation.objects.create(
            **{"organization": organization, "staff_user": support, "user": member},
            **{"reason": REASON, "ticket": TICKET, "started_at": now},
            expires_at=now + timedelta(minutes=5),
        )

        assert self.find().failures == 1


class TestAnImpersonation:
    def test_is_never_acted_in_another_context(self, support, member, organization):
        with context.acting(actor="system:other"):
            start(support, member, organization)

        entry = audit_log_of(organization).get(action="impersonation.start")
        assert entry.actor == f"user:{support.public_id}"
