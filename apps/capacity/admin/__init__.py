"""Staff pages of capacity: projects and blocks are kept here, and what customers have is seen."""

from apps.capacity.admin import blocks, caps, holdings, projects, readings, shares, waiting

__all__ = ["blocks", "caps", "holdings", "projects", "readings", "shares", "waiting"]
