"""What staff do to people in the back office."""

import pytest
from django.contrib.auth.models import Group, Permission

from apps.tenants.models import AuditLog
from tests.credits.admin.staff import make_root
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/tenants/user/"


def permission(code: str) -> Permission:
    return Permission.objects.get(content_type__app_label="tenants", codename=code)


@pytest.fixture
def person():
    return make_person(email="zoe@example.com")


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
