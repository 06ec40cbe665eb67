"""The pages of reservations: what is held and for how long, what became of it, and giving back."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.billing.pages.buying import terms_of_sale
from apps.capacity.pages.base import CapacityPage
from apps.capacity.selectors.certificates import reservation_facts
from apps.capacity.selectors.holdings import pieces_of, reservation_of, reservations_of
from apps.capacity.selectors.listing import RESERVATION_COLUMNS, reservation_rows
from apps.capacity.selectors.projects import day_of, fee_on
from apps.capacity.services.reserving import release_reservation
from apps.core.clock import workers_now
from apps.core.documents import pdf_response
from apps.core.exports import stream_csv


class Reservations(CapacityPage):
    """What the organization has reserved, newest first."""

    tab = "reservations"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show a page of them, or all as CSV."""
        rows = reservations_of(self.organization, workers_now())
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-reservations.csv",
                columns=RESERVATION_COLUMNS,
                rows=reservation_rows(rows),
            )
        found, links = self.listed(rows, reverse("capacity:reservations", args=[slug]))
        return self.show("capacity/reservations.html", {"reservations": found, **links})


class ReservationPage(CapacityPage):
    """One reservation."""

    tab = "reservations"

    def get(self, request: HttpRequest, slug: str, reservation_id: str) -> HttpResponse:
        """Show its blocks, what is to be paid, and the time that is left."""
        now = workers_now()
        reservation = reservation_of(self.organization, reservation_id, now)
        pieces, count = pieces_of(reservation)
        page = {
            "reservation": reservation,
            "pieces": pieces,
            "more": count - len(pieces),
            "fee": fee_on(
                reservation.project, reservation.capacity_kw, day_of(reservation.created_at)
            ),
            "terms": terms_of_sale(),
            "seconds_left": seconds_until(reservation.hold_expires_at, now),
            "can_pay": self.can_pay,
        }
        return self.show("capacity/reservation.html", page)


class Release(CapacityPage):
    """The giving back of what is held."""

    permission = "capacity.reserve"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, reservation_id: str) -> HttpResponse:
        """Give the blocks back; twice is no more than once."""
        reservation = reservation_of(self.organization, reservation_id, workers_now())
        release_reservation(reservation=reservation)
        messages.success(request, "The blocks are given back. Nothing is to be paid.")
        return redirect("capacity:reservation", slug, reservation_id)


class ReservationCertificate(CapacityPage):
    """A certificate of all that a reservation brought."""

    def get(self, request: HttpRequest, slug: str, reservation_id: str) -> HttpResponse:
        """Answer it as PDF."""
        now = workers_now()
        reservation = reservation_of(self.organization, reservation_id, now)
        facts: dict[str, Any] = reservation_facts(self.organization, reservation, now)
        return pdf_response(
            filename=f"certificate-{reservation.public_id}.pdf",
            template="capacity/certificate_document.html",
            facts=facts,
        )


def seconds_until(moment: datetime, now: datetime) -> int:
    """Return how many whole seconds are left, 0 if it is past."""
    return max(0, int((moment - now).total_seconds()))
