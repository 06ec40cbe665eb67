"""The pages of allocations: what the organization has of each project, and how it ends."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format

from apps.capacity.pages.base import CapacityPage
from apps.capacity.pages.forms import AllocationFilter
from apps.capacity.selectors.amounts import total_kw
from apps.capacity.selectors.certificates import allocation_facts
from apps.capacity.selectors.holdings import (
    allocation_of,
    allocations_named,
    allocations_of,
    holdings_of,
    last_day_by_notice,
)
from apps.capacity.selectors.listing import ALLOCATION_COLUMNS, allocation_rows
from apps.capacity.selectors.projects import fee_of
from apps.capacity.services.ending import cancel_allocations
from apps.core.clock import workers_now
from apps.core.documents import pdf_response
from apps.core.exports import stream_csv


class Allocations(CapacityPage):
    """What is or was allocated: sums by project, and each block with its history."""

    tab = "allocations"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show the sums and a page of allocations, newest first; or all of them as CSV."""
        form, now = AllocationFilter(request.GET), workers_now()
        rows = allocations_of(self.organization, now).filter(**form.chosen)
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-allocations.csv",
                columns=ALLOCATION_COLUMNS,
                rows=allocation_rows(rows),
            )
        chosen = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
        here = reverse("capacity:allocations", args=[slug])
        found: list[Any]  # with the annotations of `allocations_of`
        found, links = self.listed(rows, here, chosen)
        page = {
            "holdings": list(holdings_of(self.organization, now)),
            "allocations": [
                {"allocation": one, "fee": fee_of(one.capacity_kw, one.fee)} for one in found
            ],
            "may_cancel": self.can_reserve
            and any(one.standing in ("active", "upcoming") for one in found),
            "filter_form": form,
            **links,
        }
        return self.show("capacity/allocations.html", page)


class Cancel(CapacityPage):
    """The page that asks before allocations are cancelled."""

    permission = "capacity.reserve"
    tab = "allocations"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Say what would end, and on which day."""
        named = request.GET.getlist("allocation")
        if not named:
            messages.error(request, "Choose at least one allocation to cancel.")
            return redirect("capacity:allocations", slug)
        now = workers_now()
        chosen = allocations_named(allocations_of(self.organization, now), named)
        page: dict[str, Any] = {
            "ending": [
                {"allocation": one, "last_day": last_day_by_notice(one, now)} for one in chosen
            ],
            "capacity_kw": total_kw(chosen),
        }
        return self.show("capacity/cancel.html", page)

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Cancel: all of them, or none; twice is no more than once."""
        named = request.POST.getlist("allocation")
        chosen = allocations_named(allocations_of(self.organization, workers_now()), named)
        found = cancel_allocations(organization=self.organization, allocations=chosen)
        first_free = max(one.effective_to for one in found if one.effective_to)
        messages.success(
            request,
            f"{len(found)} allocation{'s are' if len(found) != 1 else ' is'} cancelled. From"
            f" {date_format(first_free, 'j F Y')} on nothing of it is yours.",
        )
        return redirect("capacity:allocations", slug)


class Certificate(CapacityPage):
    """A certificate of one allocation."""

    def get(self, request: HttpRequest, slug: str, allocation_id: str) -> HttpResponse:
        """Answer it as PDF."""
        now = workers_now()
        allocation = allocation_of(self.organization, allocation_id, now)
        return pdf_response(
            filename=f"certificate-{allocation.public_id}.pdf",
            template="capacity/certificate_document.html",
            facts=allocation_facts(self.organization, allocation, now),
        )
