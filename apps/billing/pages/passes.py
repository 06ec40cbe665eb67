"""The customer's page of a pass: what it costs and does now, and the way to pay it."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.billing.errors import PlanNotOffered
from apps.billing.models import PlanVersion
from apps.billing.pages.base import PayingPage
from apps.billing.pages.buying import terms_of_sale
from apps.billing.pages.forms import PassForm, new_key
from apps.billing.selectors.plan_times import obstacle_of, pass_named, preview_pass
from apps.billing.selectors.subscriptions import present_of
from apps.billing.services import purchases
from apps.core.clock import database_now
from apps.core.errors import DomainError


class BuyPass(PayingPage):
    """One pass, before it is bought."""

    permission = "billing.manage"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what it costs and gives, from when to when, and what comes after it."""
        return self.preview(self.chosen(request.GET.get("plan", "")))

    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Buy it once, however often it is clicked, and lead to Stripe's page."""
        form = PassForm(request.POST)
        if not form.is_valid():
            return self.preview(self.chosen(request.POST.get("plan", "")), status=422)
        asked = form.cleaned_data
        version = self.chosen(asked["plan"])
        version_id = PlanVersion.read_id(asked["version"]) or version.pk
        try:
            return self.pay_once(
                asked["idempotency_key"],
                f"pass:{version_id}:{asked['amount']}",
                lambda: purchases.buy_pass(
                    organization=self.organization,
                    user=self.user,
                    version_id=version_id,
                    amount=asked["amount"],
                ),
            )
        except DomainError as error:
            return self.preview(version, problem=str(error), status=error.status)

    def chosen(self, code: str) -> PlanVersion:
        """
        Return the pass with this code.

        :raises PlanNotOffered: if there is none: our own buttons name those that are.
        """
        found = pass_named(code)
        if found is None:
            raise PlanNotOffered
        return found

    def preview(
        self, version: PlanVersion, *, problem: str = "", status: int = 200
    ) -> HttpResponse:
        """Show what it would do if it were paid now, or what is in its way."""
        present = present_of(self.organization)
        page = {
            "shown": preview_pass(self.organization, version),
            "obstacle": obstacle_of(present, version, database_now()),
            "problem": problem,
            "key": new_key(),
            "terms": terms_of_sale(),
        }
        return self.show("billing/buy_pass.html", page, status)
