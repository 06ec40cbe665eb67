"""The customer's statements: choose a period, read it, take it away as CSV or PDF."""

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.days import is_sensible
from apps.core.documents import pdf_response
from apps.core.exports import stream_csv
from apps.core.periods import Period, next_month, utc_midnight
from apps.credits import selectors
from apps.credits.models import Wallet
from apps.credits.selectors import statements
from apps.rbac.pages.base import TenantPage

MONTHS_OFFERED = 36


class PeriodForm(forms.Form):
    """A month, or days instead; lives in the query string, so that it can be shared."""

    month = forms.ChoiceField(required=False, choices=())
    from_date = forms.DateField(
        required=False, label="Or from", widget=forms.DateInput({"type": "date"})
    )
    to_date = forms.DateField(
        required=False, label="Until and with", widget=forms.DateInput({"type": "date"})
    )

    def __init__(self, data: Any, *, months: list[date]) -> None:
        super().__init__(data)
        self.fields["month"].choices = [  # type: ignore[attr-defined]  # it is a ChoiceField
            (f"{first:%Y-%m}", f"{first:%B %Y}") for first in months
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse half a period, and one that ends before it begins."""
        chosen = self.cleaned_data
        first, last = chosen.get("from_date"), chosen.get("to_date")
        if (first is None) != (last is None) and not self.errors:
            raise forms.ValidationError("Give both days, or none and a month.", "half_a_period")
        if first and last and last < first:
            self.add_error("to_date", "The period ends before it begins.")
        for name, day in (("from_date", first), ("to_date", last)):
            if day and not is_sensible(day):
                self.add_error(name, "No credits are kept of such a year.")
        return chosen

    def period(self, default: date) -> Period:
        """Return the period that was chosen, or the month of `default`."""
        chosen = self.cleaned_data if self.is_valid() else {}
        if chosen.get("from_date"):
            return Period.of_days(chosen["from_date"], chosen["to_date"])
        if chosen.get("month"):
            return Period.of_month(date.fromisoformat(f"{chosen['month']}-01"))
        return Period.of_month(default)


class Statements(TenantPage):
    """A wallet's statement for a month, or for any days."""

    permission = "credits.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show opening balance, sums and closing balance; or answer the whole as a file."""
        wallet = self.wallet(request.GET.get("wallet", ""))
        months = months_of(wallet, database_now())
        form = PeriodForm(request.GET, months=months)
        statement = statements.statement_of(wallet, form.period(default=months[0]))
        if form.is_valid() and request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{statement.name}.csv",
                columns=statements.COLUMNS,
                rows=statement.lines(),
            )
        if form.is_valid() and request.GET.get("format") == "pdf":
            return pdf_response(
                filename=f"{statement.name}.pdf",
                template="credits/statement_document.html",
                facts=statements.document_facts(statement),
            )
        here = reverse("credits:statements", args=[slug])
        chosen = {
            "from_date": statement.period.first_day.isoformat(),
            "to_date": statement.period.last_day.isoformat(),
            **({"wallet": wallet.public_id} if "wallet" in request.GET else {}),
        }
        page = {
            "statement": statement,
            "form": form,
            "reset_url": here,
            "csv_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "pdf_url": f"{here}?{urlencode({**chosen, 'format': 'pdf'})}",
            "is_too_long": statement.count > statements.LARGEST_PDF,
        }
        return render(request, "credits/statements.html", page)

    def wallet(self, public_id: str) -> Wallet:
        """
        Return the wallet that the address names, or the main one.

        :raises NotFound: if it is none of this organization's.
        """
        if not public_id:
            return selectors.main_wallet(self.organization)
        return statements.wallet_of(self.organization, Wallet.read_id(public_id))


def months_of(wallet: Wallet, now: datetime) -> list[date]:
    """Return the first days of the months that have a statement, the latest first."""
    first_at = statements.first_movement_at(wallet) or now
    month = Period.of_month(first_at.date()).first_day
    months = []
    while utc_midnight(month) <= now:
        months.append(month)
        month = next_month(month)
    return months[::-1][:MONTHS_OFFERED] or [month]
