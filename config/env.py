"""
Read settings from the environment, and stop the start with a list of what is missing.

Every setting may also come from a file: `SECRET_KEY_FILE=/run/secrets/key` is read
when `SECRET_KEY` is absent, so that secrets need not stand in the environment.
"""

import sys
from collections.abc import Mapping
from typing import NoReturn

from environs import EnvValidationError, FileAwareEnv

env = FileAwareEnv(eager=False)


def seal() -> None:
    """Stop the start, naming every missing or malformed setting at once."""
    try:
        env.seal()
    except EnvValidationError as error:
        assert isinstance(error.error_messages, Mapping)  # by name, once it was deferred
        _stop(dict(error.error_messages))


def _stop(messages: Mapping[str, list[str]]) -> NoReturn:
    lines = [f"  {name}: {'; '.join(problems)}" for name, problems in sorted(messages.items())]
    sys.exit(
        "Coffer cannot start. These settings are missing or wrong in the environment:\n"
        + "\n".join(lines)
        + "\nEach is explained in .env.example. To try Coffer without any setting: make demo."
    )
