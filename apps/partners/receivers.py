"""What partners does when it hears news from below, and what it tells of a person."""

from typing import Any

from django.dispatch import receiver

from apps.core import mail, personal
from apps.partners.models import PartnerMember
from apps.partners.selectors import asked_by_person, personal_data
from apps.partners.services import (
    application_mails,
    award_mails,
    claim_mails,
    forgetting,
    request_mails,
)
from apps.partners.services.forgetting_requests import forget_requests
from apps.partners.services.standing import Cause, remove_member
from apps.partners.services.uploads import forgetting as upload_forgetting
from apps.rbac.selectors.erasures import Identity
from apps.tenants.models import Organization, User
from apps.tenants.signals import membership_ended, person_erased


@receiver(membership_ended)
def leave_programme(organization: Organization, user: User, **kwargs: Any) -> None:
    """Let who leaves an organization leave its programme, too."""
    rows = PartnerMember.objects.filter(organization=organization, user=user)
    for member in rows.select_related("organization", "partner"):
        remove_member(member=member, cause=Cause.LEFT)


@receiver(person_erased)
def forget_who_was_erased(user: User, identity: Identity, **kwargs: Any) -> None:
    """Let him leave every programme, and take his name and address from them."""
    forgetting.lock_programmes(user=user, identity=identity)
    # While he is still known as a member:
    upload_forgetting.forget_in_uploads(user=user, addresses=identity.emails)
    forget_requests(user=user, identity=identity)
    forgetting.forget_notes(user=user, identity=identity)
    forgetting.forget_member(user=user, identity=identity)
    forgetting.forget_applications(identity=identity)


personal.register("credit_requests", asked_by_person.credit_requests_of)
personal.register("partner_applications", personal_data.applications_by)
personal.register("partner_invitations", personal_data.invited_by)
personal.register("partner_memberships", personal_data.memberships_of)
personal.register("partner_upload_rows", upload_forgetting.rows_naming)
personal.register("partner_uploads", upload_forgetting.uploads_by)
mail.register(application_mails.QUEUE)
mail.register(award_mails.QUEUE)
mail.register(claim_mails.QUEUE)
mail.register(request_mails.QUEUE)
