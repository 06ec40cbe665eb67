"""Applications for a programme: one at a time, decided once, answered by mail."""

import csv

import pytest
from django.core import mail

from apps.partners import selectors
from apps.partners.errors import AlreadyPartner, ApplicationDecided, ApplicationPending
from apps.partners.models import Application
from apps.partners.services import applications
from apps.partners.services.programmes import Terms
from apps.tenants.models import AuditLog
from tests.mails import send
from tests.partners.programme import make_programme
from tests.people import make_member, make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db
FORM = {"name": "Neighbours", "expected_members": 40, "reason": "Solar roofs"}


@pytest.fixture
def owner():
    return make_person(email="owner@example.com")


@pytest.fixture
def organization(owner):
    return make_organization(owner=owner)


@pytest.fixture
def application(organization, owner):
    return applications.apply(organization=organization, by=owner, **FORM)


@pytest.fixture
def staff():
    return make_person(is_staff=True, is_superuser=True)


def page_of(organization) -> str:
    return f"/o/{organization.slug}/programme/application/"


class TestApplying:
    def test_is_written_down_once_at_a_time(self, organization, owner, application):
        assert (application.status, application.applied_by) == ("pending", owner)
        assert AuditLog.objects.filter(action="partner.apply").count() == 1
        with pytest.raises(ApplicationPending):
            applications.apply(organization=organization, by=owner, **FORM)

    def test_is_refused_to_a_partner(self, owner):
        partner = make_programme()
        with pytest.raises(AlreadyPartner):
            applications.apply(organization=partner.organization, by=owner, **FORM)

    def test_ends_by_withdrawal_and_can_begin_anew(self, organization, owner, application):
        assert applications.withdraw(application=application).status == "withdrawn"
        assert applications.withdraw(application=application).status == "withdrawn"
        assert applications.apply(organization=organization, by=owner, **FORM) != application
        assert AuditLog.objects.filter(action="partner.withdraw_application").count() == 1


class TestDeciding:
    def test_approval_begins_the_programme_and_tells_the_applicant(self, application, staff):
        partner = applications.approve(
            application=application, terms=Terms(validity_days=30), by=staff
        )
        application.refresh_from_db()
        assert (partner.name, application.status) == ("Neighbours", "approved")
        assert selectors.terms_of(partner).validity_days == 30
        assert send("partner_applications") == 1
        assert mail.outbox[-1].to == ["owner@example.com"]
        assert mail.outbox[-1].subject == "The programme Neighbours can begin"

    def test_declining_says_why_and_lets_him_apply_again(
        self, organization, owner, application, staff
    ):
        applications.decline(application=application, answer="Too early.", by=staff)
        assert send("partner_applications") == 1
        assert "Too early." in mail.outbox[-1].body
        assert selectors.find_partner(organization) is None
        assert applications.apply(organization=organization, by=owner, **FORM)

    @pytest.mark.parametrize("first", ["approve", "decline", "withdraw"])
    def test_happens_once(self, first, application, staff):
        ends = {
            "approve": lambda: applications.approve(application=application, by=staff),
            "decline": lambda: applications.decline(
                application=application, answer="No.", by=staff
            ),
            "withdraw": lambda: applications.withdraw(application=application),
        }
        ends.pop(first)()
        for again in ends.values():
            with pytest.raises(ApplicationDecided):
                again()

    def test_nobody_is_told_who_is_gone(self, application, staff, owner):
        applications.decline(application=application, answer="No.", by=staff)
        owner.is_active = False
        owner.save()
        assert send("partner_applications") == 0


class TestThePage:
    def test_applies_shows_and_withdraws(self, organization, owner):
        client = signed_in(owner)
        assert client.get(f"/o/{organization.slug}/programme/").url == page_of(organization)
        assert client.post(page_of(organization), FORM).status_code == 302
        application = Application.objects.get(organization=organization)
        page = client.get(page_of(organization)).content.decode()
        assert "Not decided yet" in page
        again = client.post(page_of(organization), FORM)
        assert again.status_code == 409
        withdraw = f"{page_of(organization)}{application.public_id}/withdraw/"
        assert client.post(withdraw).status_code == 302
        application.refresh_from_db()
        assert application.status == "withdrawn"
        assert 'href="?format=csv"' in client.get(page_of(organization)).content.decode()
        file = b"".join(client.get(page_of(organization), {"format": "csv"}).streaming_content)
        (row,) = csv.DictReader(file.decode().splitlines())
        assert (row["id"], row["status"]) == (application.public_id, "withdrawn")

    def test_says_what_is_wrong_with_the_form(self, organization, owner):
        response = signed_in(owner).post(page_of(organization), {**FORM, "expected_members": 0})
        assert response.status_code == 422
        assert not Application.objects.exists()

    def test_lets_those_only_look_who_may_not_manage(self, organization):
        client = signed_in(make_member(organization, "read-only"))
        assert 'name="expected_members"' not in client.get(page_of(organization)).content.decode()
        assert client.post(page_of(organization), FORM).status_code == 403

    def test_leads_a_partner_to_the_overview(self):
        partner = make_programme()
        client = signed_in(make_member(partner.organization, "partner manager"))
        slug = partner.organization.slug
        assert client.get(f"/o/{slug}/programme/").url == f"/o/{slug}/programme/overview/"


class TestTheApi:
    def test_applies_lists_and_withdraws(self, organization, owner):
        client = signed_in(owner)
        made = client.post("/api/v1/partner/applications", FORM, content_type="application/json")
        assert (made.status_code, made.json()["status"]) == (201, "pending")
        listed = client.get("/api/v1/partner/applications").json()["data"]
        assert [one["id"] for one in listed] == [made.json()["id"]]
        assert client.get(made["Location"]).json() == made.json()
        ended = client.post(f"/api/v1/partner/applications/{made.json()['id']}/withdraw")
        assert ended.json()["status"] == "withdrawn"

    def test_has_no_programme_before(self, organization, owner):
        response = signed_in(owner).get("/api/v1/partner")
        assert (response.status_code, response.json()["code"]) == (409, "not_a_partner")
