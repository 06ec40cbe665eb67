"""The page of a person's own data."""

import zoneinfo

import pytest

from apps.tenants.models import AuditLog, User
from tests.people import make_organization, make_person, signed_in

pytestmark = pytest.mark.django_db

FORM = {"full_name": "Ann Ash", "avatar_url": "", "time_zone": "Europe/Berlin"}


@pytest.fixture
def person():
    return make_person(full_name="Ann")


class TestProfile:
    def test_needs_sign_in(self, client):
        response = client.get("/account/profile/")

        assert response.status_code == 302
        assert response.headers["Location"].startswith("/accounts/login/")

    def test_saves_what_changed(self, person):
        response = signed_in(person).post("/account/profile/", FORM)

        person.refresh_from_db()
        assert response.status_code == 302
        assert (person.full_name, person.time_zone) == ("Ann Ash", "Europe/Berlin")
        assert AuditLog.objects.get(action="user.update").before["full_name"] == "Ann"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("time_zone", "Mars/Olympus"),
            ("time_zone", "../../etc/passwd"),
            ("avatar_url", "http://example.com/me.png"),
            ("avatar_url", "javascript:alert(1)"),
            ("full_name", ""),
        ],
    )
    def test_shows_what_is_wrong_on_its_field(self, person, field, value):
        response = signed_in(person).post("/account/profile/", {**FORM, field: value})

        assert response.status_code == 200
        assert field in response.context["form"].errors
        assert User.objects.get(pk=person.pk).full_name == "Ann"

    def test_shows_times_in_the_zone_that_was_chosen(self, person):
        person.time_zone = "Asia/Tokyo"
        person.save()
        organization = make_organization(owner=person)

        page = signed_in(person).get(f"/o/{organization.slug}/settings/").content.decode()

        tokyo = organization.created_at.astimezone(zoneinfo.ZoneInfo("Asia/Tokyo"))
        assert f"{tokyo.day} {tokyo:%b %Y}" in page
