"""
Give the tests a PostgreSQL and a Valkey before Django's settings are read.

A plugin (`-p tests.environment`), because a conftest would come too late. Servers are
those of DATABASE_URL and REDIS_URL, or embedded ones below `.coffer/test` that all test
runs share for as long as one of them lives.
"""

import os
import secrets
import tempfile
from pathlib import Path

from apps.core.scope import whole_process
from embedded.keeper import Attachment, attach

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".coffer" / "test"
attachments: list[Attachment] = []  # held until the process ends


def provide_services() -> None:
    """Set the addresses, unless they are given."""
    if "DATABASE_URL" not in os.environ:
        postgres = attach("postgres", HOME, is_careless=True)
        attachments.append(postgres)
        os.environ["DATABASE_URL"] = postgres.url()
    if "REDIS_URL" not in os.environ:
        valkey = attach("valkey", HOME, is_careless=True)
        attachments.append(valkey)
        os.environ["REDIS_URL"] = valkey.url()


def provide_settings() -> None:
    """Set what the tests take for granted, whatever the shell has."""
    os.environ.update(
        SECRET_KEY=secrets.token_urlsafe(48),
        CACHE_PREFIX=f"coffer-test-{os.getpid()}",
        EMAIL_URL="memory://",
        MEDIA_ROOT=tempfile.mkdtemp(prefix="coffer-media-"),
        MOVABLE_CLOCK="1",
        DEBUG="0",
        DEMO="0",
        BASE_URL="http://testserver",
        ALLOWED_HOSTS="testserver,localhost,127.0.0.1",
        LOG_LEVEL="ERROR",
        RATE_LIMITS="0",  # their own tests switch them on: the others send as much as they like
    )
    for name in ("STRIPE_SECRET_KEY", "STRIPE_API_URL", "TRIAL_CREDITS", "TRIAL_DAYS"):
        os.environ.pop(name, None)


whole_process("tests make rows where they like; requests in them have their own scope")
provide_services()
provide_settings()
