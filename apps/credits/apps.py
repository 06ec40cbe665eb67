"""Start-up of credits."""

from django.apps import AppConfig


class CreditsConfig(AppConfig):
    """The one ledger."""

    name = "apps.credits"
    label = "credits"
