"""Start-up of the core: load every app's tasks, receivers and invariants."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from apps.core.invariants import register


class CoreConfig(AppConfig):
    """The app that holds no business."""

    name = "apps.core"
    label = "core"

    def ready(self) -> None:
        """Import what registers itself, so that no app has to remember to."""
        for app in apps.get_app_configs():
            if not app.name.startswith("apps."):
                continue
            for module in ("tasks", "receivers", "invariants", "checks"):
                if find_spec(f"{app.name}.{module}"):
                    import_module(f"{app.name}.{module}")
        consistency = import_module("apps.core.walls.consistency")
        register(consistency.same_organization())
        post_migrate.connect(_build_walls, sender=self, dispatch_uid="coffer_walls")


def _build_walls(**details: object) -> None:
    """Give every table of an organization its wall, as soon as it is there."""
    import_module("apps.core.walls.building").build()
