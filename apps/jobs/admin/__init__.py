"""Staff pages of jobs, styles, rate limits, and of the workers outside that do some jobs."""

from apps.jobs.admin import jobs, limits, styles, workers

__all__ = ["jobs", "limits", "styles", "workers"]
