"""Start-up of rbac."""

from django.apps import AppConfig

from apps.core import banners


class RbacConfig(AppConfig):
    """Who may do what: permissions, roles, API keys."""

    name = "apps.rbac"
    label = "rbac"

    def ready(self) -> None:
        """Let the frame say what holds of seats and of maintenance."""
        from apps.rbac.pages.notices import banners_of  # noqa: PLC0415  needs the models

        banners.register(banners_of)
