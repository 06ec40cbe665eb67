"""The price list."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.models import Row
from apps.core.walls import Wall


class CreditEvent(Row):
    """
    What one unit of something costs, from a moment on: one row for each version.

    A price is never edited: a new version is added, and past charges keep theirs.
    """

    PREFIX = "cev"
    WALL = Wall(whose="", web="SELECT")

    name = models.CharField(max_length=100)  # image.restyle
    description = models.TextField(blank=True)
    category = models.CharField(max_length=50)  # compute, storage, api_call
    credit_cost = models.BigIntegerField(validators=[MinValueValidator(0)])  # credits per unit
    unit = models.CharField(max_length=30, default="unit")
    is_active = models.BooleanField(default=True)
    metadata = models.JSONField(default=dict, blank=True)
    effective_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name", "effective_at"], name="credits_one_price_at_a_time"
            ),
            models.CheckConstraint(
                name="credits_cost_is_not_negative", condition=Q(credit_cost__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.credit_cost}"

    @property
    def features(self) -> frozenset[str]:
        """What a lot may ask for, if it is for certain events alone: name and category."""
        return frozenset({self.name, self.category})
