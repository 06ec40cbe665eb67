"""People, organizations and keys for tests, made by the services that make the real ones."""

import time
from itertools import count

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from apps.rbac.models import ApiKey
from apps.rbac.services import keys
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization, User
from apps.tenants.services.organizations import create_organization
from apps.tenants.services.sessions import note_second_factor

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


def signed_in(person: User, *, is_fresh: bool = True, has_factor: bool | None = None, **defaults):
    """
    Return a client in whose session the person is signed in.

    Unless said otherwise he has just shown his password once more, and staff have shown a
    second factor, so that tests of other matters are not asked for these.
    """
    client = Client(**defaults)
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    session = client.session
    if is_fresh:
        record = {"method": "password", "at": time.time(), "reauthenticated": True}
        session["account_authentication_methods"] = [record]
        session["account_authentication_methods_user"] = str(person.pk)
    if person.is_staff if has_factor is None else has_factor:
        give_second_factor(person)
        note_second_factor(session=session, user=person)
    session.save()
    return client


def give_second_factor(person: User, secret: str = "JBSWY3DPEHPK3PXP") -> Authenticator:
    """Set up an authenticator app, unless the person has one."""
    found = Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).first()
    return found or TOTP.activate(person, secret).instance


def with_key(token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {token}"})
