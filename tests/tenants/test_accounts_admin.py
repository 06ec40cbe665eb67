"""What staff do to addresses and groups in the back office leaves an audit row of ours."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission

from apps.tenants.models import AuditLog
from tests.credits.admin.staff import make_root
from tests.people import make_person, signed_in

pytestmark = pytest.mark.django_db
ADDRESSES, GROUPS = "/admin/account/emailaddress/", "/admin/auth/group/"


@pytest.fixture
def root():
    return make_root()


@pytest.fixture
def client(root):
    return signed_in(root)


def the_row(action, root):
    row = AuditLog.objects.get(action=action)
    assert (row.actor, row.reason) == (f"user:{root.public_id}", "back office")
    return row


class TestAnAddress:
    @pytest.fixture
    def address(self):
        person = make_person()
        return EmailAddress.objects.create(user=person, email="zoe@work.example", verified=False)

    def test_that_is_added(self, client, root):
        person = make_person()
        form = {"user": person.pk, "email": "new@work.example", "verified": "on"}
        assert client.post(f"{ADDRESSES}add/", form).status_code == 302
        row = the_row("emailaddress.create", root)
        assert row.object_id == person.public_id
        assert row.after["email"] == "new@work.example"
        assert row.after["verified"] == "True"

    def test_that_is_changed(self, client, root, address):
        form = {"user": address.user_id, "email": address.email, "verified": "on"}
        assert client.post(f"{ADDRESSES}{address.pk}/change/", form).status_code == 302
        row = the_row("emailaddress.update", root)
        assert row.object_id == address.user.public_id
        assert row.before == {"verified": "False"}
        assert row.after == {"verified": "True", "email": address.email}

    def test_that_is_called_confirmed_in_the_list(self, client, root, address):
        known = EmailAddress.objects.create(
            user=address.user, email="zoe@home.example", verified=True
        )
        form = {"action": "make_verified", "_selected_action": [address.pk, known.pk]}
        assert client.post(ADDRESSES, form).status_code == 302
        address.refresh_from_db()
        assert address.verified
        assert the_row("emailaddress.update", root).after["email"] == address.email

    def test_that_is_deleted(self, client, root, address):
        person = address.user
        assert client.post(f"{ADDRESSES}{address.pk}/delete/", {"post": "yes"}).status_code == 302
        row = the_row("emailaddress.delete", root)
        assert (row.object_id, row.before["email"]) == (person.public_id, "zoe@work.example")

    def test_that_is_deleted_from_the_list(self, client, root, address):
        form = {"action": "delete_selected", "_selected_action": [address.pk], "post": "yes"}
        assert client.post(ADDRESSES, form).status_code == 302
        assert the_row("emailaddress.delete", root).before["email"] == "zoe@work.example"


class TestAGroup:
    @pytest.fixture
    def view(self):
        return Permission.objects.get(content_type__app_label="tenants", codename="view_user")

    def test_that_is_made(self, client, root, view):
        form = {"name": "Helpers", "permissions": [view.pk]}
        assert client.post(f"{GROUPS}add/", form).status_code == 302
        group = Group.objects.get(name="Helpers")
        row = the_row("group.create", root)
        assert row.object_id == str(group.pk)
        assert row.after == {"name": "Helpers", "permissions": str(view)}

    def test_that_may_something_else(self, client, root, view):
        group = Group.objects.create(name="Helpers")
        form = {"name": "Helpers", "permissions": [view.pk]}
        assert client.post(f"{GROUPS}{group.pk}/change/", form).status_code == 302
        assert list(group.permissions.all()) == [view]
        row = the_row("group.update", root)
        assert (row.before, row.after) == ({"permissions": ""}, {"permissions": str(view)})

    def test_that_is_deleted(self, client, root, view):
        group = Group.objects.create(name="Helpers")
        group.permissions.add(view)
        assert client.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"}).status_code == 302
        row = the_row("group.delete", root)
        assert (row.before["name"], row.before["permissions"]) == ("Helpers", str(view))
