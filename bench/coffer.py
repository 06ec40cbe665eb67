"""Point Django at the server of this run. Import it before anything of `apps`."""

import os

import django


def use(url: str) -> None:
    """Set Django up as the tests do, on a server that is durable."""
    os.environ["DATABASE_URL"] = url
    import tests.environment  # noqa: F401  the other settings

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
