"""Start-up of jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Work that is paid in credits."""

    name = "apps.jobs"
    label = "jobs"
