"""Sign-up: person, address, organization, role and trial, all or nothing."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from apps.credits.selectors import balance_of, main_wallet
from apps.rbac.models import UserRole
from apps.tenants.models import AuditLog, Organization, User
from apps.tenants.services import people
from apps.tenants.signals import organization_created
from tests.people import make_person

pytestmark = pytest.mark.django_db

FORM = {
    "email": "Ann@Example.com",
    "password1": "a long enough secret",
    "full_name": "Ann Ash",
    "organization_name": "Acme",
}


def sign_up(**changes):
    return Client().post("/accounts/signup/", {**FORM, **changes})


class TestSignUp:
    def test_makes_a_person_with_an_organization(self):
        response = sign_up()

        person = User.objects.get()
        organization = Organization.objects.get()
        assert response.status_code == 302
        assert (person.email, person.full_name) == ("ann@example.com", "Ann Ash")
        assert UserRole.objects.get().role.name == "owner"
        assert EmailAddress.objects.get(user=person).email == "ann@example.com"
        assert organization.slug == "acme"

    def test_makes_a_personal_organization_for_who_names_none(self):
        sign_up(organization_name=" ", full_name="Ann Ash")

        organization = Organization.objects.get()
        assert (organization.name, organization.slug) == ("Ann Ash", "ann-ash")
        assert organization.is_personal
        assert UserRole.objects.get().role.name == "owner"

    def test_cuts_a_name_that_is_too_long_for_an_organization(self):
        sign_up(organization_name="", full_name="x" * 150)

        assert Organization.objects.get().name == "x" * 100

    def test_grants_the_trial(self, settings):
        sign_up()

        wallet = main_wallet(Organization.objects.get())
        assert balance_of(wallet).available == settings.TRIAL_CREDITS > 0

    def test_names_the_new_person_as_the_one_who_acted(self):
        sign_up()

        actors = set(AuditLog.objects.values_list("actor", flat=True))
        assert actors >= {f"user:{User.objects.get().public_id}"}
        assert "anonymous" not in actors

    def test_leaves_nothing_when_a_receiver_fails(self):
        def fail(**kwargs):
            raise RuntimeError("no wallet today")

        organization_created.connect(fail)
        try:
            with pytest.raises(RuntimeError):
                sign_up()
        finally:
            organization_created.disconnect(fail)

        assert not User.objects.exists()
        assert not EmailAddress.objects.exists()
        assert not Organization.objects.exists()
        assert not mail.outbox

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("email", "no address"),
            ("password1", "short"),
            ("full_name", ""),
            ("organization_name", "x" * 101),
        ],
    )
    def test_shows_what_is_wrong_on_its_field(self, field, value):
        response = sign_up(**{field: value})

        assert response.status_code == 200
        assert field in response.context["form"].errors
        assert not User.objects.exists()

    def test_does_not_tell_that_an_address_is_taken(self):
        EmailAddress.objects.create(
            user=make_person(email="ann@example.com"), email="ann@example.com", verified=True
        )

        response = sign_up()

        assert response.status_code == 302
        assert not Organization.objects.exists()
        assert mail.outbox[0].to == ["ann@example.com"]

    def test_answers_the_slower_of_two_twins_like_any_taken_address(self, monkeypatch):
        create = people.create_organization

        def be_overtaken(**fields):
            raise_unique_violation()
            return create(**fields)

        def raise_unique_violation():
            User.objects.create(email="ann@example.com", full_name="The faster one")

        monkeypatch.setattr(people, "create_organization", be_overtaken)

        response = sign_up()

        assert response.status_code == 302
        assert not Organization.objects.exists()
