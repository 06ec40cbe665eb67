"""Read the policies of rate limits."""

from apps.core.ratelimits.policies import Policy
from apps.jobs.models import RateLimitPolicy


def rate_limits() -> list[Policy]:
    """Return the policies of rate limits in force, as whoever counts requests knows them."""
    columns = ("code", "subject", "requests", "limit", "seconds", "plan")
    active = RateLimitPolicy.objects.filter(is_active=True).order_by("code")
    return [Policy(**row) for row in active.values(*columns)]
