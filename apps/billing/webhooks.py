"""
The only way in from Stripe: a delivery is verified, kept, and answered.

Nothing is done here but to write the event down, so that the answer is quick and does not
depend on Redis, on workers or on Stripe's own API.
"""

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from apps.billing.errors import DeliveryTooLarge
from apps.billing.gateway import events
from apps.billing.services import inbox
from apps.core.errors import DomainError
from apps.core.problems import problem_response

MOST_BYTES = 1_000_000  # Stripe's own events are far below


@method_decorator(csrf_exempt, name="dispatch")  # signed by Stripe; no browser sends it
class StripeWebhook(View):
    """Where Stripe delivers: `/webhooks/stripe/`."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Answer 200 once the event is in the inbox; an error tells Stripe to come again."""
        try:
            inbox.receive(read(request), source="webhook")
        except DomainError as error:
            return problem_response(
                request, code=error.code, status=error.status, detail=str(error)
            )
        return HttpResponse(status=200)


def read(request: HttpRequest) -> dict[str, object]:
    """
    Return the event, after size and signature were found to be right.

    :raises DeliveryTooLarge: before anything of it is read.
    :raises SignatureRefused: if it is not Stripe who sends it, or not now.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise DeliveryTooLarge(limit=MOST_BYTES)
    return events.read_delivery(request.body, request.headers.get("Stripe-Signature", ""))
