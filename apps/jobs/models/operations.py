"""What workers outside can do to a picture, beside the runners that are built in."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.walls import Wall

LARGEST_RESULT = 40_000_000  # pixels, as of any picture that is taken


class ExternalOperation(Row):
    """
    An operation that no runner of ours does: only workers outside claim it.

    Its price is the credit event of the same name. It is never deleted, because jobs name it;
    what is not active is not sold, and what was sold before is still worked on.
    """

    PREFIX = "xop"
    WALL = Wall(whose="", web="SELECT", staff="SELECT, INSERT, UPDATE")

    code = models.CharField(  # also the credit event
        max_length=100,
        unique=True,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\Z", "Write it like image.outline."
            )
        ],
    )
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True)
    parameters = models.JSONField(  # JSON Schema: apps/jobs/runners/schemas.py
        default=dict, blank=True
    )
    most_pixels = models.PositiveIntegerField(  # of a result; what a metered price holds
        validators=[MinValueValidator(1), MaxValueValidator(LARGEST_RESULT)]
    )
    is_active = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="jobs_external_result_has_a_size",
                condition=Q(most_pixels__gte=1, most_pixels__lte=LARGEST_RESULT),
            )
        ]

    def __str__(self) -> str:
        return self.code
