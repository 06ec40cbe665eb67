"""The customer's pages that explain: lots, usage, and why a number is what it is."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from apps.core.errors import NotFound, PermissionDenied
from apps.core.exports import stream_csv
from apps.credits import selectors
from apps.credits.models import CreditTransaction, Wallet
from apps.credits.pages import lines
from apps.credits.pages.charts import chart_of_usage
from apps.credits.pages.forms import ExplainForm, MomentForm, UsageFilter
from apps.credits.pages.views import CreditsPage
from apps.credits.selectors import Explanation, Usage

ENDED_SHOWN = 20
TOP_SHOWN = 10


class Lots(CreditsPage):
    """Where credits come from, in which order they go, and what any other day looks like."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the lots in burn order with the reason, now or at another moment."""
        wallet = self.wallet()
        form = MomentForm(request.GET)
        as_of = form.cleaned_data["as_of"] if form.is_valid() else None
        if as_of:
            balance = selectors.balance_at(wallet, as_of)
            found = [one for one in selectors.lots_at(wallet, as_of) if one.remaining]
        else:
            balance = selectors.balance_of(wallet)
            found = selectors.lots_with_credits(wallet)
        page = {
            "as_of": as_of,
            "form": form,
            "balance": balance,
            "burning": [lines.standing_line(one) for one in found if one.place],
            "others": [lines.standing_line(one) for one in found if not one.place],
            "ended": []
            if as_of
            else [
                lines.standing_line(one) for one in selectors.ended_lots(wallet, limit=ENDED_SHOWN)
            ],
            "expiries": lines.expiries(found),
            "explain_url": self.explain_url(as_of),
            "reset_url": reverse("credits:lots", args=[slug]),
        }
        return render(request, "credits/lots.html", page)

    def explain_url(self, as_of: Any) -> str:
        """Return where the balance is explained, for those who may see what everybody used."""
        if not self.sees_all():
            return ""
        query = f"?{urlencode({'as_of': as_of.isoformat()})}" if as_of else ""
        return reverse("credits:explain", args=[self.organization.slug]) + query


class UsagePage(CreditsPage):
    """What was used, by day and by event, category, source or member."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show a period as a chart with its table, beside the period before; or it as CSV."""
        form = UsageFilter(request.GET)
        wallet = self.wallet()
        actor = self.visible_actor(wallet)
        usage = selectors.usage_of(wallet, form.chosen, group_by=form.group, actor=actor)
        if request.GET.get("format") == "csv":
            return usage_file(usage, filename=f"{slug}-usage.csv")
        here = reverse("credits:usage", args=[slug])
        chosen = {key: value for key, value in request.GET.items() if key in form.fields and value}
        page = {
            "filter_form": form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "usage": usage,
            "change": usage.total.credits - usage.before,
            "chart": chart_of_usage(usage, self.url_of_day),
            "is_own": not self.sees_all(),
            "top": [
                {"group": group, "change": group.use.credits - group.before, "url": url}
                for group in usage.groups[:TOP_SHOWN]
                for url in [self.url_behind(usage, group.key)]
            ],
            "rest": len(usage.groups) - TOP_SHOWN,
        }
        return render(request, "credits/usage.html", page)

    def url_of_day(self, day: date) -> str:
        """Return where the use of a day is explained."""
        here = reverse("credits:explain", args=[self.organization.slug])
        return f"{here}?{urlencode({'of': 'usage', 'date': day.isoformat()})}"

    def url_behind(self, usage: Usage, key: str) -> str:
        """Return the transactions that make up a group, where they can be filtered by it."""
        if usage.group_by == "category":
            return ""
        query = {
            "type": "usage",
            "from_date": usage.period.first,
            "to_date": usage.period.last,
            usage.group_by: key,
        }
        return (
            f"{reverse('credits:transactions', args=[self.organization.slug])}?{urlencode(query)}"
        )


class Explain(CreditsPage):
    """Why a number is what it is."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the parts that add up to a balance, to the use of a day, or to a transaction."""
        form = ExplainForm(request.GET)
        if not form.is_valid():
            raise NotFound
        wallet = self.wallet()
        asked = form.cleaned_data
        explanation = self.explain(wallet, asked)
        page = {
            "explanation": explanation,
            "title": TITLES[explanation.of],
            "parts": [lines.part_of(part, self.organization) for part in explanation.parts],
            "beside": [lines.part_of(part, self.organization) for part in explanation.beside],
            "moment": asked["as_of"],
            "moment_form": MomentForm(request.GET) if explanation.of == "balance" else None,
            "behind_url": self.url_behind(explanation),
            "back": lines.back_from(explanation, self.organization),
        }
        return render(request, "credits/explain.html", page)

    def explain(self, wallet: Wallet, asked: dict[str, Any]) -> Explanation:
        """
        Return the explanation of the number that was asked about.

        :raises NotFound: if it is of a transaction that is not there for the viewer.
        :raises PermissionDenied: if it is of the balance, to which everybody's use belongs.
        """
        actor = self.visible_actor(wallet)
        if asked["of"] == "usage":
            day = asked["date"] or timezone.localdate()
            return selectors.explain_usage(wallet, day, actor=actor)
        if asked["of"] == "transaction":
            entry_id = CreditTransaction.read_id(asked["transaction"])
            operation = selectors.operation_of(wallet, entry_id, actor=actor)
            return selectors.explain_transaction(operation)
        if not self.sees_all():
            raise PermissionDenied(permission="credits.view")
        return selectors.explain_balance(wallet, as_of=asked["as_of"])

    def url_behind(self, explanation: Explanation) -> str:
        """Return the transactions behind the use of a day."""
        if explanation.day is None:
            return ""
        day = explanation.day.isoformat()
        query = urlencode({"type": "usage", "from_date": day, "to_date": day})
        return f"{reverse('credits:transactions', args=[self.organization.slug])}?{query}"


TITLES = {
    "balance": "Why the balance is what it is",
    "usage": "What was used on this day",
    "transaction": "What this transaction is made of",
}


def usage_file(usage: Usage, *, filename: str) -> HttpResponseBase:
    """Return a row for each day and group with what was used, in constant columns."""
    rows = (
        [
            *(day.isoformat(), usage.group_by, group.key, group.label),
            *(use.credits, use.charged, use.given_back, use.count),
        ]
        for group in usage.groups
        for day, use in group.by_day.items()
    )
    columns = ["date", "group_by", "key", "label", "credits", "charged", "given_back", "count"]
    return stream_csv(filename=filename, columns=columns, rows=rows)
