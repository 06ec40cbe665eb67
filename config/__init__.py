"""Settings, addresses and schedule of the instance."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
