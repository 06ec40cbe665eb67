#!/usr/bin/env python
"""The command line of Coffer; `manage.py demo` starts everything a newcomer needs."""

import os
import sys
from pathlib import Path


def read_demo_environment() -> None:
    """Take the addresses of a running demo, so that `manage.py shell` finds its services."""
    demo_env = Path(__file__).parent / ".coffer" / "env"
    if "DATABASE_URL" in os.environ or not demo_env.exists():
        return
    for line in demo_env.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


def main() -> None:
    """Run one management command."""
    if sys.argv[1:2] == ["demo"]:
        # Before Django: the supervisor starts the database that Django's settings need.
        from embedded.demo import main as run_demo

        sys.exit(run_demo(sys.argv[2:]))
    read_demo_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from apps.core.scope import whole_process

    whole_process(f"manage.py {' '.join(sys.argv[1:2])}")  # its requests have their own
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
