"""Stripe's resources: a module each, or a package. Whatever lies here is loaded at the start."""

import importlib
import pkgutil

from simulator import pages


def load() -> None:
    """Import all resources and pages, so that their routes, views and timers are known."""
    for package in (__spec__.name, pages.__name__):
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            importlib.import_module(module.name)
