"""People, organizations and keys for tests, made by the services that make the real ones."""

from itertools import count

from django.test import Client

from apps.rbac.models import ApiKey
from apps.rbac.services import keys
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import create_organization

_number = count(1)


def make_person(**fields) -> User:
    fields.setdefault("email", f"person-{next(_number)}@example.com")
    return User.objects.create_user(fields.pop("email"), **fields)


def make_organization(*, owner: User | None = None, name: str = "Acme", **fields) -> Organization:
    return create_organization(name=name, owner=owner or make_person(), **fields)


def make_member(organization: Organization, role: str, **fields) -> User:
    person = make_person(**fields)
    assign_role(user=person, role=system_role(role), organization=organization)
    return person


def make_key(organization: Organization, person: User, *scopes: str) -> tuple[ApiKey, str]:
    return keys.create_key(organization=organization, created_by=person, name="Test", scopes=scopes)


def signed_in(person: User, **defaults) -> Client:
    client = Client(**defaults)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def with_key(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})
