"""Forget a person who is erased: he leaves each programme, and his name and address go."""

from apps.core.clock import database_now
from apps.core.ids import new_id
from apps.core.personal import GONE
from apps.partners.models import Application, Partner, PartnerMember
from apps.partners.services.standing import Cause, remove_member
from apps.rbac.selectors.erasures import Identity
from apps.tenants.models import User

NOWHERE = "erased.invalid"  # a domain that can never exist (RFC 6761)


def forget_member(*, user: User, identity: Identity) -> None:
    """Let him leave every programme; what he has not used goes by its terms."""
    his = PartnerMember.objects.filter(user=user) | PartnerMember.objects.filter(
        email__in=identity.emails
    )
    for member in his.select_related("organization", "partner").order_by("id"):
        remove_member(member=member, cause=Cause.ERASED)
        PartnerMember.objects.filter(pk=member.pk).update(
            email=f"erased-{new_id().hex}@{NOWHERE}",
            first_name="",
            last_name="",
            group=None,
            updated_at=database_now(),
        )


def forget_applications(*, identity: Identity) -> None:
    """Take his name from what was written in applications."""
    for field in ("reason", "answer"):
        Application.objects.filter(identity.within(field)).update(**{field: GONE})
    for model in (Application, Partner):
        model.objects.filter(identity.within("name")).update(name="Partner programme")
