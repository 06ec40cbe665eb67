"""The catalogue API: the plans and packs that are offered now."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.api.catalogue_serializers import CreditProductOut, PlanOut
from apps.billing.selectors import catalogue as selectors
from apps.core.api import paginated
from apps.rbac.api.base import TenantAPIView


class Plans(TenantAPIView):
    """The plans that can be subscribed to."""

    permissions = {"GET": "billing.view"}

    @extend_schema(operation_id="plans_list", tags=["billing"], responses=PlanOut(many=True))
    def get(self, request: Request) -> Response:
        """Return each plan that is offered, as its present version has it, newest first."""
        return paginated(request, selectors.plans_in_force(), PlanOut)


class CreditProducts(TenantAPIView):
    """The packs of credits that can be bought."""

    permissions = {"GET": "billing.view"}

    @extend_schema(
        operation_id="credit_products_list",
        tags=["billing"],
        responses=CreditProductOut(many=True),
    )
    def get(self, request: Request) -> Response:
        """Return each pack that is sold, as its present version has it, newest first."""
        return paginated(request, selectors.products_in_force(), CreditProductOut)
