"""
Whoever follows a link that was mailed: whether the address is his, and an account for him.

The link never signs anybody in: it is proof of the address and of nothing else.
"""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from psycopg import errors as postgres

from apps.core.db import inside_transaction
from apps.rbac.errors import AccountExists, AddressNotVerified, InvitationForAnother
from apps.tenants.models import Organization, User
from apps.tenants.services import audit


def has_account(email: str) -> bool:
    """Tell whether an address belongs to somebody who should sign in."""
    if User.objects.filter(email=email).exists():
        return True
    return bool(EmailAddress.objects.filter(email__iexact=email, verified=True).exists())


def check_is_his(user: User, email: str) -> None:
    """
    Check that an address is one that the person has shown to be his.

    :raises InvitationForAnother: if it is none of his.
    :raises AddressNotVerified: if he has not verified it.
    """
    own = EmailAddress.objects.filter(user=user, email__iexact=email)
    verified = set(own.values_list("verified", flat=True))
    if True in verified:
        return
    if verified or user.email == email:
        raise AddressNotVerified(email=email)
    raise InvitationForAnother(email=email)


@inside_transaction
def create_person(*, email: str, full_name: str, set_password: Callable[[User], None]) -> User:
    """
    Create a person whose address a link has verified. He gets no organization of his own.

    :raises AccountExists: if the address has an account.
    """
    if has_account(email):
        raise AccountExists(email=email)
    user = User(email=email, full_name=full_name)
    set_password(user)
    try:
        with transaction.atomic():
            user.save()
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    except IntegrityError as error:
        # Somebody signed up with the address the ordinary way, a moment ago.
        if not isinstance(error.__cause__, postgres.UniqueViolation):
            raise
        raise AccountExists(email=email) from error
    return user


def record_sign_up(*, user: User, organization: Organization, **cause: Any) -> None:
    """Write down that somebody signed up by a link of an organization."""
    audit.record(
        action="user.sign_up",
        organization=organization,
        object_id=user.public_id,
        after={"email": user.email, **cause},
    )
