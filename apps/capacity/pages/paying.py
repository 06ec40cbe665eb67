"""The way to Stripe's page on which a reservation is paid, and the page that it leads back to."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.billing.errors import StripeRefused, StripeUnavailable
from apps.billing.models import Payment
from apps.billing.pages.payments import ask_how_it_stands, pause_before_look
from apps.billing.selectors.payments import payments_for
from apps.capacity.models import Reservation
from apps.capacity.pages.base import CapacityPage
from apps.capacity.selectors.holdings import reservation_of
from apps.capacity.services import paying
from apps.core.clock import workers_now
from apps.core.money import format_money
from apps.core.pages import number_of_look

Status = Reservation.Status


class Pay(CapacityPage):
    """The button below what is held."""

    def post(self, request: HttpRequest, slug: str, reservation_id: str) -> HttpResponseBase:
        """Lead to Stripe's page: to the same one, however often it is clicked."""
        reservation = reservation_of(self.organization, reservation_id, workers_now())
        # Where Stripe fails the next page tells it, and the payment goes on by itself.
        with suppress(StripeRefused, StripeUnavailable):
            payment = paying.pay(reservation=reservation, user=self.user)
            if payment.status == Payment.Status.OPEN:
                return redirect(payment.pay_url)
        return redirect(reverse("capacity:paid", args=[slug, reservation_id]))


class Paid(CapacityPage):
    """What has become of a reservation and its payment; Stripe's page leads back to here."""

    tab = "reservations"

    def get(self, request: HttpRequest, slug: str, reservation_id: str) -> HttpResponse:
        """Show it as Stripe says that it is, and say when to look again."""
        reservation = reservation_of(self.organization, reservation_id, workers_now())
        payment = payments_for(reservation.pk).select_related("organization").last()
        look = number_of_look(request)
        if payment is not None and payment.status in Payment.IN_FLIGHT:
            payment = ask_how_it_stands(payment)
            reservation = reservation_of(self.organization, reservation_id, workers_now())
        total = payment.amount + payment.tax if payment else 0
        page = {
            "reservation": reservation,
            "payment": payment,
            "money": format_money(total, payment.currency) if payment else "",
            "case": case_of(reservation, payment),
            "can_pay": self.can_pay,
            "poll_url": f"{request.path}?look={look + 1}",
            "poll_after": pause_before_look(look, payment) if payment else None,
        }
        return self.show("capacity/paid.html", page)


def case_of(reservation: Reservation, payment: Payment | None) -> str:
    """Say in a word what the page has to tell."""
    if payment is not None and payment.status == Payment.Status.SUCCEEDED:
        is_his = (reservation.payment_id, reservation.status) == (payment.pk, Status.ALLOCATED)
        return "allocated" if is_his else "goes_back"
    is_in_flight = payment is not None and payment.status in Payment.IN_FLIGHT
    is_asked_for = payment is not None and payment.status in Payment.TO_ASK
    if payment is not None and is_in_flight and not is_asked_for and not payment.pay_url:
        return "under_way"
    # Whoever is sent to Stripe's page after the hold pays for what he does not get.
    if reservation.standing != Status.HELD:  # type: ignore[attr-defined]  # annotated
        return "ended"
    if is_asked_for:
        return "preparing"
    return "waiting" if is_in_flight else "unpaid"
