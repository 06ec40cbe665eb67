"""Start-up of capacity."""

from django.apps import AppConfig


class CapacityConfig(AppConfig):
    """Projects whose blocks are reserved, and what they generate."""

    name = "apps.capacity"
    label = "capacity"
