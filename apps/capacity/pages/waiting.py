"""The page of the waiting list: where one stands, what is offered, joining and leaving."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.capacity.models import WaitlistEntry
from apps.capacity.pages.base import CapacityPage
from apps.capacity.pages.forms import JoinForm
from apps.capacity.pages.reservations import seconds_until
from apps.capacity.selectors.waiting import WAITING_COLUMNS, entries_of, waiting_rows
from apps.capacity.services import waiting
from apps.core.clock import workers_now
from apps.core.errors import DomainError
from apps.core.exports import stream_csv
from apps.core.pages import add_refusal


class Waiting(CapacityPage):
    """Where the organization waits or has waited, newest first."""

    tab = "waiting"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show a page of entries, or all as CSV."""
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-waiting.csv",
                columns=WAITING_COLUMNS,
                rows=waiting_rows(entries_of(self.organization, workers_now())),
            )
        return self.show_list(JoinForm(initial={"project": request.GET.get("project")}))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Join the waiting list of a project, or show why not."""
        form = JoinForm(request.POST)
        if not form.is_valid():
            return self.show_list(form, status=422)
        project = form.cleaned_data["project"]
        try:
            waiting.join(
                organization=self.organization, project=project, wish=form.wish, user=self.user
            )
        except DomainError as error:
            add_refusal(form, error)
            return self.show_list(form, status=error.status)
        messages.success(request, f"You wait for {project}. A mail tells you when it is your turn.")
        return redirect("capacity:waiting", slug)

    def show_list(self, form: JoinForm, status: int = 200) -> HttpResponse:
        """Show the entries and the form, perhaps with its errors."""
        here = reverse("capacity:waiting", args=[self.organization.slug])
        now = workers_now()
        found, links = self.listed(entries_of(self.organization, now), here)
        entries = [{"entry": one, "seconds": seconds_left(one, now)} for one in found]
        page = {"entries": entries, "form": form, **links}
        return self.show("capacity/waiting.html", page, status=status)


def seconds_left(entry: WaitlistEntry, now: datetime) -> int | None:
    """Return how many seconds are left of an offer; None where there is none."""
    offer = entry.reservation
    return seconds_until(offer.hold_expires_at, now) if offer is not None else None


class Leave(CapacityPage):
    """The end of waiting, or of an offer."""

    permission = "capacity.reserve"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, slug: str, waitlist_entry_id: str) -> HttpResponse:
        """
        Wait no more, or decline the offer.

        :raises Http404: if the organization has no such entry.
        """
        row_id = WaitlistEntry.read_id(waitlist_entry_id)
        rows = entries_of(self.organization, workers_now())
        entry = rows.filter(pk=row_id).first() if row_id else None
        if entry is None:
            raise Http404
        left = waiting.leave(entry=entry)
        is_declined = left.status == WaitlistEntry.Status.DECLINED
        done = "The offer is declined." if is_declined else "You do not wait any more."
        messages.success(request, done)
        return redirect("capacity:waiting", slug)
