"""Pay for a reservation."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.billing.api.payment_serializers import PaymentOut
from apps.billing.selectors.payments import payment_of
from apps.capacity.selectors.holdings import reservations_of
from apps.capacity.services import paying
from apps.core.clock import workers_now
from apps.rbac.api.base import TenantAPIView


class PayReservation(TenantAPIView):
    """The payment of what is held."""

    permissions = {"POST": "capacity.reserve"}

    @extend_schema(
        operation_id="reservations_pay", tags=["capacity"], request=None, responses=PaymentOut
    )
    def post(self, request: Request, reservation_id: str) -> Response:
        """
        Begin to pay, or go on: answers the payment, with the page on which a person pays it.

        Repeated it answers the same payment as it is then. The hold lasts as long as the page.
        """
        rows = reservations_of(self.organization, workers_now())
        reservation = self.get_object(rows, reservation_id)
        payment = paying.pay(reservation=reservation, user=self.user)
        return Response(PaymentOut(payment_of(self.organization, payment.pk)).data)
