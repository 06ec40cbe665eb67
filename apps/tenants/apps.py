"""Start-up of tenants."""

from django.apps import AppConfig

from apps.core import chains


class TenantsConfig(AppConfig):
    """Organizations, their people, and the record of what was done."""

    name = "apps.tenants"
    label = "tenants"

    def ready(self) -> None:
        """Let `verify --chain` walk the audit rows."""
        from apps.tenants.selectors.chains import (  # noqa: PLC0415  needs the models
            walk_audit_chains,
        )

        chains.register(walk_audit_chains)
