"""Start-up of tenants."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Organizations, their people, and the record of what was done."""

    name = "apps.tenants"
    label = "tenants"
