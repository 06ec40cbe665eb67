"""Fail if a model differs from its migrations. Needs no database: nothing is applied."""

import os
import secrets
import sys

import django
from django.core.management import call_command


def main() -> None:
    """Compare all apps' models, dj-stripe's included, with their migrations."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # A port on which nothing listens: the check of applied migrations is skipped with a warning.
    os.environ.setdefault("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none")
    os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:9")
    os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    django.setup()
    call_command("makemigrations", check=True, dry_run=True)


if __name__ == "__main__":
    sys.exit(main())
