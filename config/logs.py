"""One JSON line for each event, with the request's id; readable lines for a developer."""

import logging
import re
from typing import Any

import structlog

# Whoever reads the logs must not be able to follow an invitation (apps/rbac: mailed_links)
# or a link to a file (apps/core/links.py).
SECRET_LINK = re.compile(r"(cof_invite_|cof_claim_|cof_link_)[A-Za-z0-9_:%-]+")


def hide_links(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Take the secrets of invitations and links out of addresses and whatever else is logged."""
    return {
        key: SECRET_LINK.sub(r"\1…", value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def structured_logging(*, level: str, human: bool) -> dict[str, Any]:
    """Return Django's LOGGING setting, and set up structlog to feed it."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_links,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": renderer,
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "loggers": {
            # It tells of every page that it sets.
            "weasyprint": {"level": "WARNING"},
            # Below that it writes whole answers: addresses that let whoever has them in.
            "stripe": {"level": max("INFO", level, key=logging.getLevelNamesMapping().__getitem__)},
        },
        "root": {"handlers": ["console"], "level": level},
    }
