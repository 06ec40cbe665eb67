"""Values that staff set while the instance runs."""

from django.db import models

from apps.core.walls import Wall


class AdminConfig(models.Model):
    """A value that staff set while the instance runs."""

    WALL = Wall(whose="", web="SELECT")

    key = models.CharField(max_length=100, primary_key=True)
    value = models.JSONField()
    requires_admin = models.BooleanField(default=True, help_text="Only superusers may change it.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.key
