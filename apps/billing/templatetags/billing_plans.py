"""Template tags of plans: what the button of a plan does."""

from django import template

from apps.billing.gateway.client import is_configured
from apps.billing.models import OrganizationSubscription, PlanVersion
from apps.billing.selectors.subscriptions import Scenario, scenario_of

register = template.Library()


@register.simple_tag
def plan_scenario(
    subscription: OrganizationSubscription | None,
    version: PlanVersion,
    waiting: OrganizationSubscription | None = None,
) -> Scenario:
    """Return what choosing a plan would mean for who has these subscriptions, or none."""
    return scenario_of(subscription, version, waiting=waiting)


@register.simple_tag
def billing_is_configured() -> bool:
    """Tell whether anything can be bought at all."""
    return is_configured()
