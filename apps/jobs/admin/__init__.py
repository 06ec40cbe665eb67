"""Staff pages of jobs, styles and rate limits."""

from apps.jobs.admin import jobs, limits, styles

__all__ = ["jobs", "limits", "styles"]
