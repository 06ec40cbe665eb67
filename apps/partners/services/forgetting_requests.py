"""Forget what a person who has himself erased wrote when he asked for credits."""

from django.db.models import Q

from apps.core.db import inside_transaction
from apps.core.personal import GONE
from apps.partners.models import CreditRequest
from apps.partners.services.requests import Status, withdraw_request
from apps.rbac.selectors.erasures import Identity
from apps.tenants.models import User


@inside_transaction
def forget_requests(*, user: User, identity: Identity) -> None:
    """Withdraw what he asks for, and let his reasons and answers that name him read (erased)."""
    member = Q(member__user=user) | Q(member__email__in=identity.emails)
    his = CreditRequest.objects.filter(member)
    for request in his.filter(status=Status.PENDING).select_related("partner"):
        withdraw_request(request=request)
    his.exclude(reason="").update(reason=GONE)
    for field in ("reason", "answer"):
        CreditRequest.objects.filter(identity.within(field)).update(**{field: GONE})
