"""Start-up of rbac."""

from django.apps import AppConfig

from apps.core import banners
from apps.core.ratelimits import policies
from apps.rbac.permissions import MOVES_MONEY


class RbacConfig(AppConfig):
    """Who may do what: permissions, roles, API keys."""

    name = "apps.rbac"
    label = "rbac"

    def ready(self) -> None:
        """Let the frame say what holds of seats and of maintenance, and limits know money."""
        from apps.rbac.pages.notices import banners_of  # noqa: PLC0415  needs the models

        banners.register(banners_of)
        policies.register_money(MOVES_MONEY)
