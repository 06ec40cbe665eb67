"""What budgets of the demo can show: a history, one nearly used up, one beyond its limit."""

from datetime import datetime, timedelta

from apps.core import clock, context
from apps.credits import selectors
from apps.credits.models import Budget
from apps.credits.selectors.budgets import budgets_of
from apps.credits.services.budgets import change_budget, create_budget
from apps.tenants.models import Organization, User


def limit_everybody(now: datetime, organization: Organization, owner: User) -> None:
    """Limit what everybody uses together, before there is a history, so that it is counted."""
    with (
        clock.moved_to(now - timedelta(days=59, hours=12)),
        context.acting(actor=f"user:{owner.public_id}"),
    ):
        create_budget(wallet=selectors.main_wallet(organization), monthly_limit=2_500)


def limit_members(organization: Organization, users: dict[str, User]) -> None:
    """Let one member be near the end of his budget, and another beyond one that only tells."""
    with context.acting(actor=f"user:{users['owner@acme.test'].public_id}"):
        for name, action, percent in (
            ("member@acme.test", Budget.Action.STOP, 85),
            ("developer@acme.test", Budget.Action.NOTIFY, 120),
        ):
            wallet = selectors.main_wallet(organization)
            budget = create_budget(
                wallet=wallet, monthly_limit=10_000, member=users[name], action=action
            )
            used = budgets_of(wallet).values_list("used", flat=True).get(pk=budget.pk)
            # In the first days of a month there may be nothing that could be a share.
            change_budget(budget=budget, monthly_limit=max(used, 25) * 100 // percent)
