"""What staff do to people in the back office."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client

from apps.tenants.models import AuditLog
from tests.credits.admin.staff import make_root, make_staff
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/tenants/user/"
OLD, NEW = "a long and quiet sentence", "another quiet sentence"
FORM = {"password1": NEW, "password2": NEW, "usable_password": "true"}


def permission(code: str) -> Permission:
    return Permission.objects.get(content_type__app_label="tenants", codename=code)


@pytest.fixture
def person():
    zoe = make_person(email="zoe@example.com", password=OLD)
    EmailAddress.objects.create(user=zoe, email=zoe.email, verified=True, primary=True)
    return zoe


@pytest.fixture
def client():
    return signed_in(make_root())


class TestWhatWasGranted:
    def test_is_in_the_audit_row(self, client, person):
        view, change = permission("view_user"), permission("change_user")
        group = Group.objects.create(name="Helpers")
        person.user_permissions.add(view)
        form = {"full_name": "", "time_zone": "UTC", "is_active": "on", "groups": [group.pk]}

        answer = client.post(
            f"{LIST}{person.pk}/change/", {**form, "user_permissions": [view.pk, change.pk]}
        )

        assert answer.status_code == 302
        assert set(person.user_permissions.all()) == {view, change}
        row = AuditLog.objects.get(action="user.update")
        assert row.before == {"groups": "", "user_permissions": str(view)}
        assert row.after == {"groups": "Helpers", "user_permissions": f"{change}, {view}"}

    def test_is_no_password_of_a_new_person(self, client):
        secret = "a long and quiet sentence"
        form = {"email": "new@example.com", "full_name": "", "password1": secret}

        client.post(f"{LIST}add/", {**form, "password2": secret})

        row = AuditLog.objects.get(action="user.create")
        assert secret not in f"{row.before} {row.after}"


class TestAPassword:
    @pytest.fixture
    def helper(self):
        """Return a client of staff who may change people, and no superuser."""
        person = make_staff()
        person.user_permissions.add(permission("change_user"))
        return signed_in(person)

    @pytest.mark.django_db(transaction=True)
    def test_is_set_written_down_and_told(self, person, helper):
        browser = Client()
        browser.post("/accounts/login/", {"login": person.email, "password": OLD})
        assert UserSession.objects.filter(user=person).exists()

        answer = helper.post(f"{LIST}{person.pk}/password/", FORM)

        assert answer.status_code == 302
        person.refresh_from_db()
        assert person.check_password(NEW)
        assert AuditLog.objects.get(action="user.password").reason == "back office"
        assert not UserSession.objects.filter(user=person).exists()
        assert [one.to for one in mail.outbox] == [["zoe@example.com"]]
        assert "by our staff" in mail.outbox[0].subject

    @pytest.mark.django_db(transaction=True)
    def test_that_is_refused_is_neither_written_down_nor_told(self, person, helper):
        helper.post(f"{LIST}{person.pk}/password/", {**FORM, "password2": "something else"})

        person.refresh_from_db()
        assert person.check_password(OLD)
        assert not AuditLog.objects.filter(action="user.password").exists()
        assert mail.outbox == []

    @pytest.mark.django_db(transaction=True)
    def test_is_not_set_where_it_cannot_be_written_down(self, person, helper, monkeypatch):
        def fail(**facts):
            raise RuntimeError

        helper.raise_request_exception = False
        monkeypatch.setattr("apps.tenants.services.people.audit.record", fail)

        assert helper.post(f"{LIST}{person.pk}/password/", FORM).status_code == 500
        person.refresh_from_db()
        assert person.check_password(OLD)
        assert mail.outbox == []

    @pytest.mark.parametrize("flags", [{"is_superuser": True}, {}])
    def test_of_staff_is_set_by_superusers_alone(self, helper, client, flags):
        other = make_staff(**flags)

        assert helper.post(f"{LIST}{other.pk}/password/", FORM).status_code == 403
        other.refresh_from_db()
        assert not other.check_password(NEW)
        assert client.post(f"{LIST}{other.pk}/password/", FORM).status_code == 302
        other.refresh_from_db()
        assert other.check_password(NEW)

    def test_of_nobody_does_not_exist(self, client):
        assert client.post(f"{LIST}{make_root().pk}0/password/", FORM).status_code == 404


class TestASuperuser:
    def test_is_changed_by_superusers_alone(self, client):
        helper = make_staff()
        helper.user_permissions.add(permission("change_user"))
        other = make_person(is_superuser=True, full_name="Ada")
        form = {"full_name": "Eve", "time_zone": "UTC"}

        refused = signed_in(helper).post(f"{LIST}{other.pk}/change/", form)

        assert refused.status_code == 403
        other.refresh_from_db()
        assert (other.full_name, other.is_active) == ("Ada", True)
        assert client.post(f"{LIST}{other.pk}/change/", form).status_code == 302
