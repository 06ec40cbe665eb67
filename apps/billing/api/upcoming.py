"""What a subscription is charged next."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.api.subscription_serializers import UpcomingOut
from apps.billing.selectors.subscriptions import present_of
from apps.billing.services.subscriptions.upcoming import next_invoice
from apps.rbac.api.base import TenantAPIView


class Upcoming(TenantAPIView):
    """The next invoice, asked from Stripe."""

    permissions = {"GET": "billing.view"}

    @extend_schema(
        operation_id="subscription_next_invoice", tags=["subscription"], responses=UpcomingOut
    )
    def get(self, request: Request) -> Response:
        """Return date, lines, tax, total and credits; 503 while Stripe does not answer."""
        present = present_of(self.organization)
        found = next_invoice(present) if present else None
        return Response(UpcomingOut({"next_invoice": found}).data)
