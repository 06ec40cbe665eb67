"""Start-up of partners."""

from django.apps import AppConfig


class PartnersConfig(AppConfig):
    """Credits handed on to the members of a partner."""

    name = "apps.partners"
    label = "partners"
