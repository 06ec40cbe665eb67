"""Start-up of rbac."""

from django.apps import AppConfig


class RbacConfig(AppConfig):
    """Who may do what: permissions, roles, API keys."""

    name = "apps.rbac"
    label = "rbac"
