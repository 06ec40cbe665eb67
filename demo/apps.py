"""What exists only in the demo: its people, its history and its pictures."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Installed only where the setting DEMO is on."""

    name = "demo"
