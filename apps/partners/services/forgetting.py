"""Forget a person who is erased: he leaves each programme, and his name and address go."""

from django.db.models import Q, QuerySet

from apps.core.clock import database_now
from apps.core.db import inside_transaction
from apps.core.ids import new_id
from apps.core.personal import GONE
from apps.partners.models import Application, Partner, PartnerCredit, PartnerMember
from apps.partners.services.programmes import lock_partner
from apps.partners.services.standing import Cause, remove_member
from apps.partners.services.uploads.forgetting import rows_about
from apps.rbac.selectors.erasures import Identity
from apps.tenants.models import User
from apps.tenants.services.organizations import lock_organization

NOWHERE = "erased.invalid"  # a domain that can never exist (RFC 6761)


@inside_transaction
def lock_programmes(*, user: User, identity: Identity) -> None:
    """
    Lock every programme that knows him, before anything is changed of what it keeps.

    So does everybody who changes that: requests and rows of files come after the programme.
    Whoever carries a file out meanwhile has done so before his rows are looked for.
    """
    files = rows_about(user, identity.emails)
    known = Q(pk__in=_members(user, identity).values("partner"))
    known |= Q(pk__in=files.values("upload__partner"))
    rows = Partner.objects.filter(known).select_related("organization")
    for partner in rows.order_by("organization_id"):  # two who are erased wait in one order
        lock_organization(partner.organization)
        lock_partner(partner)


def _members(user: User, identity: Identity) -> QuerySet[PartnerMember]:
    return PartnerMember.objects.filter(Q(user=user) | Q(email__in=identity.emails))


@inside_transaction
def forget_member(*, user: User, identity: Identity) -> None:
    """Let him leave every programme; what he has not used goes by its terms."""
    his = _members(user, identity)
    for member in his.select_related("organization", "partner").order_by("id"):
        remove_member(member=member, cause=Cause.ERASED)
        PartnerMember.objects.filter(pk=member.pk).update(
            email=f"erased-{new_id().hex}@{NOWHERE}",
            first_name="",
            last_name="",
            group=None,
            updated_at=database_now(),
        )


def forget_notes(*, user: User, identity: Identity) -> None:
    """Take the partner's notes from his awards, and from others that name him."""
    his = PartnerCredit.objects.filter(member__in=_members(user, identity)).exclude(note="")
    his.update(note=GONE)
    PartnerCredit.objects.filter(identity.within("note")).update(note=GONE)


def forget_applications(*, identity: Identity) -> None:
    """Take his name from what was written in applications."""
    for field in ("reason", "answer"):
        Application.objects.filter(identity.within(field)).update(**{field: GONE})
    for model in (Application, Partner):
        model.objects.filter(identity.within("name")).update(name="Partner programme")
