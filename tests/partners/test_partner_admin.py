"""The back office of programmes: decide applications, begin, change terms, suspend and lift."""

import pytest
from django.contrib.auth.models import Permission

from apps.partners import selectors
from apps.partners.models import Application, Partner, PartnerTerms
from apps.partners.services import applications
from apps.tenants.models import AuditLog
from tests.partners.claiming import make_invited_member
from tests.partners.programme import make_programme
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db
TERMS = {
    "validity_days": 60,
    "claim_days": 14,
    "unused": "lapse",
    "privacy": "full",
    "seat_limit": "",
}


@pytest.fixture
def root():
    return signed_in(make_person(is_staff=True, is_superuser=True))


@pytest.fixture
def reader():
    person = make_person(is_staff=True)
    codes = ("view_partner", "view_application")
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    return signed_in(person)


@pytest.fixture
def application():
    return applications.apply(
        organization=make_organization(), name="Neighbours", expected_members=9, by=make_person()
    )


def page_of(row, verb: str = "change") -> str:
    return f"/admin/partners/{row._meta.model_name}/{row.pk}/{verb}/"


class TestApplications:
    def test_are_approved_with_terms(self, root, application):
        assert "about 9 members" in root.get(page_of(application, "approve")).content.decode()
        response = root.post(page_of(application, "approve"), {**TERMS, "answer": "Welcome."})
        assert response.status_code == 302
        partner = Partner.objects.get(organization=application.organization)
        terms = selectors.terms_of(partner)
        assert (terms.validity_days, terms.unused, terms.seat_limit) == (60, "lapse", None)
        again = root.post(page_of(application, "approve"), {**TERMS, "answer": ""})
        assert again.status_code == 409

    def test_are_declined_with_an_answer(self, root, application):
        assert root.post(page_of(application, "decline"), {"answer": ""}).status_code == 422
        assert root.post(page_of(application, "decline"), {"answer": "No."}).status_code == 302
        application.refresh_from_db()
        assert (application.status, application.answer) == ("declined", "No.")

    def test_are_only_shown_to_who_may_not_decide(self, reader, application):
        assert reader.get(page_of(application)).status_code == 200
        answer = {**TERMS, "answer": "x"}
        for verb in ("approve", "decline"):
            assert reader.post(page_of(application, verb), answer).status_code == 403
        assert Application.objects.get().status == "pending"

    def test_that_wait_are_counted_in_the_menu(self, root, application):
        page = root.get("/admin/partners/application/")
        assert page.status_code == 200
        assert application.name in page.content.decode()


class TestProgrammes:
    def test_begin_without_an_application(self, root):
        organization = make_organization()
        form = {**TERMS, "organization": organization.slug, "name": "Class", "reason": "agreed"}
        assert root.post("/admin/partners/partner/begin/", form).status_code == 302
        assert Partner.objects.get(organization=organization).name == "Class"
        again = root.post("/admin/partners/partner/begin/", form)
        assert again.status_code == 409
        assert "has the programme Class already" in again.content.decode()

    def test_get_new_terms_for_a_reason(self, root):
        partner = make_programme()
        address = page_of(partner, "terms")
        assert root.post(address, {**TERMS, "reason": ""}).status_code == 422
        assert root.post(address, {**TERMS, "reason": "agreed"}).status_code == 302
        assert selectors.terms_of(partner).number == 2
        assert PartnerTerms.objects.get(number=2).reason == "agreed"
        assert root.get("/admin/partners/partnerterms/").status_code == 200

    def test_are_suspended_and_go_on(self, root):
        partner = make_programme()
        for verb, status in (("suspend", "suspended"), ("lift", "active")):
            assert root.post(page_of(partner, verb), {"reason": "because"}).status_code == 302
            partner.refresh_from_db()
            assert partner.status == status
        assert AuditLog.objects.filter(action="partner.change_status").count() == 2

    @pytest.mark.parametrize("verb", ["terms", "suspend", "lift"])
    def test_are_only_shown_to_who_may_not_change_them(self, verb, reader):
        partner = make_programme()
        assert reader.get(page_of(partner)).status_code == 200
        response = reader.post(page_of(partner, verb), {**TERMS, "reason": "because"})
        assert response.status_code == 403
        form = {**TERMS, "organization": "acme", "name": "Class", "reason": "agreed"}
        assert reader.post("/admin/partners/partner/begin/", form).status_code == 403


def test_members_are_shown_without_the_digest_of_their_link(root):
    member, _ = make_invited_member(make_programme())
    page = root.get(page_of(member)).content.decode()
    assert member.email in page
    assert "Digest" not in page
    assert member.email in root.get("/admin/partners/partnermember/?q=ada").content.decode()
