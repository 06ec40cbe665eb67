"""Speed, as ratios against something run beside it in the same minute; never a timed test."""

import atexit
import os
import tempfile
from pathlib import Path

import django

from embedded.keeper import attach

# Durable settings, unlike the tests': what is measured must have been written to disk.
_home = tempfile.TemporaryDirectory(prefix="coffer-bench-", dir="/var/tmp")
Path(_home.name).chmod(0o755)
if "DATABASE_URL" not in os.environ:
    _postgres = attach("postgres", Path(_home.name))
    os.environ["DATABASE_URL"] = _postgres.url()
    atexit.register(_postgres.close)

import tests.environment  # noqa: E402, F401  the other settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
