"""Run Django's deployment checks with the settings of production. Needs no services."""

import os
import secrets
import sys

import django
from django.core.management import call_command

# As the guide to operations says. Nothing listens there: the checks connect to nothing.
PRODUCTION = {
    "DEBUG": "0",
    "DEMO": "0",
    "MOVABLE_CLOCK": "0",
    "BASE_URL": "https://coffer.example",
    "ALLOWED_HOSTS": "coffer.example",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9",
    "EMAIL_URL": "smtp://127.0.0.1:9",
    "STRIPE_LIVE_MODE": "1",
    "STRIPE_SECRET_KEY": "sk_live_" + "0" * 24,
    "STRIPE_WEBHOOK_SECRETS": "whsec_0",
}


def main(*changes: str) -> None:
    """
    Fail if a check warns. A change (`NAME=value`) shows what another environment would say.

    :raises SystemCheckError: if a check warns.
    """
    os.environ.update(PRODUCTION, SECRET_KEY=secrets.token_urlsafe(48))
    os.environ.update(dict(change.split("=", 1) for change in changes))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    call_command("check", deploy=True, fail_level="WARNING")


if __name__ == "__main__":
    main(*sys.argv[1:])
