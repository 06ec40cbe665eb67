"""The page of a project: its blocks, and the form that asks for some and reserves them."""

import hashlib
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.capacity.errors import OvershootNotAgreed
from apps.capacity.models import Project
from apps.capacity.pages.base import CapacityPage
from apps.capacity.pages.forms import ConfirmForm, WishForm
from apps.capacity.selectors.block_map import blocks_seen_by, map_of
from apps.capacity.selectors.listing import BLOCK_COLUMNS, block_rows
from apps.capacity.selectors.projects import (
    bars_of,
    has_ended,
    rates_of,
    share_of,
    shown_project,
)
from apps.capacity.selectors.waiting import waits_for
from apps.capacity.services.reserving import Quote, quote_reservation, reserve
from apps.core import idempotency
from apps.core.clock import workers_now
from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.idempotency import Answer
from apps.core.pages import add_refusal


class ProjectPage(CapacityPage):
    """One project. What one asks for is shown as a quote first, and reserved when confirmed."""

    tab = "projects"

    def get(self, request: HttpRequest, slug: str, project: str) -> HttpResponseBase:
        """Show it, with a quote where some kW are asked for; or its blocks as CSV."""
        found = shown_project(project)
        if request.GET.get("format") == "csv":
            return self.file(found)
        if "capacity_kw" not in request.GET or not self.can_reserve:
            return self.draw(found, WishForm())
        form = WishForm(request.GET)
        if not form.is_valid():
            return self.draw(found, form, 422)
        return self.draw_quote(found, form)

    def file(self, project: Project) -> HttpResponseBase:
        """Answer all blocks as CSV, the youngest first."""
        blocks = blocks_seen_by(self.organization, project, workers_now())
        return stream_csv(
            filename=f"{self.organization.slug}-{project.code}-blocks.csv",
            columns=BLOCK_COLUMNS,
            rows=block_rows(project, blocks),
        )

    def post(self, request: HttpRequest, slug: str, project: str) -> HttpResponse:
        """Reserve what the quote showed, or show what can be had by now."""
        found, form = shown_project(project), ConfirmForm(request.POST)
        if not form.is_valid():
            return self.draw(found, form, 422)
        try:
            return redirect(self.reserve_once(found, form))
        except OvershootNotAgreed as error:
            return self.draw_again(found, error)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(found, form, error.status)

    def reserve_once(self, project: Project, form: ConfirmForm) -> str:
        """Reserve once for the key of the form, and return the address of the reservation."""
        asked = f"{project.pk} {form.wish}"
        answer = idempotency.run_once(
            scope=f"{self.organization.public_id}:{self.user.public_id}:page:capacity:reserve",
            key=str(form.cleaned_data["key"]),
            digest=hashlib.sha256(asked.encode()).digest(),
            effect=lambda: self.reserve(project, form),
        )
        return str(answer.body["location"])

    def reserve(self, project: Project, form: ConfirmForm) -> Answer:
        """Reserve, and say where the reservation is."""
        reservation = reserve(
            organization=self.organization, project=project, wish=form.wish, user=self.user
        )
        place = [self.organization.slug, reservation.public_id]
        return Answer(303, {"location": reverse("capacity:reservation", args=place)})

    def draw_quote(self, project: Project, form: WishForm) -> HttpResponse:
        """Draw the page with what the wish would get now, or why it gets nothing."""
        try:
            quote = quote_reservation(
                organization=self.organization, project=project, wish=form.wish
            )
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(project, form, error.status)
        return self.draw(project, form, quote=quote)

    def draw_again(self, project: Project, error: OvershootNotAgreed) -> HttpResponse:
        """Draw the page with what the wish would get by now, which is more than was agreed to."""
        quote: Quote | None = None
        form = WishForm(self.request.POST)
        assert form.is_valid(), "it has no field that the form of agreeing has not"
        with suppress(DomainError):  # by now there is nothing any more
            quote = quote_reservation(
                organization=self.organization, project=project, wish=form.wish
            )
        add_refusal(form, error)
        return self.draw(project, form, error.status, quote)

    def draw(
        self, project: Project, form: WishForm, status: int = 200, quote: Quote | None = None
    ) -> HttpResponse:
        """Draw the page."""
        now = workers_now()
        is_open = project.status == Project.Status.OPEN and not has_ended(project, now)
        may_ask, bars = self.can_reserve and is_open, bars_of(project)
        page = {
            "project": project,
            "bars": bars,
            "share": share_of(project, self.organization, now),
            "rates": rates_of(project),
            "map": map_of(project, self.organization, now, after=self.request.GET.get("after", "")),
            "form": form,
            "may_ask": may_ask,
            "may_wait": may_ask and (project.waiting_count > 0 or not bars.free_kw),
            "waits": may_ask and waits_for(self.organization, project, now),
            "quote": quote,
            "confirm_form": confirmation_of(quote) if quote else None,
        }
        return self.show("capacity/project.html", page, status)


def confirmation_of(quote: Quote) -> ConfirmForm:
    """Return the form that agrees to what the quote shows, and to no more."""
    wish = quote.choice.wish
    seen: dict[str, Any] = {
        "capacity_kw": wish.kw,
        "mode": wish.mode,
        "tolerance_kw": wish.tolerance_kw,
        "allow_partial": wish.allow_partial,
        "max_overshoot_kw": quote.choice.overshoot_kw,
    }
    return ConfirmForm(initial=seen, auto_id=False)  # hidden beside the form that asks
