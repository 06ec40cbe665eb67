"""The environment in which the demo's processes run."""

import os
import secrets
from pathlib import Path

# What another shell needs to reach the running demo: `manage.py shell` reads it.
SHARED = (
    "ALLOWED_HOSTS",
    "BASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_STAFF_URL",
    "DATABASE_URL",
    "DEMO",
    "DEMO_LOGINS",
    "EMAIL_URL",
    "EMAIL_VERIFICATION",
    "MEDIA_ROOT",
    "REDIS_URL",
    "SECRET_KEY",
    "STRIPE_API_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRETS",
)


def environment_of_demo(home: Path, port: int) -> dict[str, str]:
    """Return our own environment with what the demo sets; what is given wins."""
    defaults = {
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "DEMO": "1",
        "DEMO_LOGINS": str(home / "demo.json"),
        "EMAIL_URL": f"file:///{home / 'mail'}",
        "EMAIL_VERIFICATION": "optional",
        "MEDIA_ROOT": str(home / "media"),
        "SECRET_KEY": _secret_key(home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    return {**defaults, **os.environ}


def write_shared(file: Path, environment: dict[str, str]) -> None:
    """Write what another shell needs, readable by ourselves alone."""
    file.touch(mode=0o600)
    file.write_text(
        "".join(f"{name}={environment[name]}\n" for name in SHARED if name in environment)
    )


def _secret_key(home: Path) -> str:
    file = home / "secret_key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48))
    return file.read_text().strip()
