"""How many requests may be sent."""

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.ratelimits.policies import IP, KEY, ORGANIZATION, USER
from apps.core.walls import Wall

HIGHEST_LIMIT = 100_000  # requests; Redis keeps the moment of each within the window
LONGEST_WINDOW = 30 * 24 * 3600  # seconds


class RateLimitPolicy(Row):
    """
    So many requests of a kind, from each subject, in any window of so many seconds.

    Changed in the back office with an audit row; switched off instead of deleted, so that the
    log can be read. A process follows a change within seconds (apps.core.ratelimits.policies).
    """

    PREFIX = "rlp"
    WALL = Wall(whose="", web="SELECT")  # staff write it, in the back office

    class Subject(models.TextChoices):
        """Whose requests are counted together."""

        ORGANIZATION = ORGANIZATION, "Organization"
        KEY = KEY, "API key"
        USER = USER, "Person"
        IP = IP, "Address"

    code = models.SlugField(max_length=50, unique=True)  # in headers and refusals
    subject = models.CharField(max_length=20, choices=Subject)
    requests = models.CharField(
        max_length=100, help_text="any, read, write, money, or a permission that they ask for."
    )
    plan = models.SlugField(
        max_length=50,
        blank=True,
        help_text="Code of a plan; its policies replace those without one for the same requests.",
    )
    limit = models.PositiveIntegerField(help_text="Requests that pass in any window.")
    seconds = models.PositiveIntegerField(help_text="Length of the window.")
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "rate limit"
        ordering = ["subject", "requests", "plan", "seconds"]
        constraints = [
            models.CheckConstraint(
                name="jobs_rate_limit_is_possible",
                condition=Q(limit__range=(1, HIGHEST_LIMIT))
                & Q(seconds__range=(1, LONGEST_WINDOW))
                & Q(subject__in=[ORGANIZATION, KEY, USER, IP]),
            ),
            # Nobody knows of an address, before somebody signs in, what plan it is on.
            models.CheckConstraint(
                name="jobs_rate_limit_of_addresses_has_no_plan",
                condition=~Q(subject=IP) | Q(plan=""),
            ),
        ]

    def __str__(self) -> str:
        return self.code
