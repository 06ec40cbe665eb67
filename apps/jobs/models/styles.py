"""Ways in which an operation can be done, each with versions that never change."""

from django.db import models
from django.db.models import Q

from apps.core.models import Row
from apps.core.walls import Wall

READ_BY_ALL = Wall(whose="", web="SELECT")  # staff write it, in the back office
LONGEST_TEMPLATE = 2000  # characters


class Style(Row):
    """A look that customers choose for an operation. What it does is in its versions."""

    PREFIX = "sty"
    WALL = READ_BY_ALL

    operation = models.CharField(max_length=100)  # image.restyle
    code = models.SlugField(max_length=50)  # dusk; as parameters name it
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)  # in lists
    is_active = models.BooleanField(default=True)  # can be chosen for new jobs

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(fields=["operation", "code"], name="jobs_style_has_its_code"),
            models.UniqueConstraint(fields=["operation", "name"], name="jobs_style_has_its_name"),
        ]

    def __str__(self) -> str:
        return self.name


class StyleVersion(Row):
    """
    What a style does, from its making until the next version. Written once.

    A job keeps the version that it was submitted with: its look is in the area's parameters.
    """

    PREFIX = "stv"
    WALL = READ_BY_ALL

    style = models.ForeignKey(Style, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()  # 1, 2, …; the highest is in force
    swatches = models.JSONField(default=list)  # its colours from dark to light: #rrggbb
    parameters = models.JSONField(default=dict)  # as the operation's runner takes a look
    prompt_template = models.TextField(blank=True, max_length=LONGEST_TEMPLATE)  # for others

    class Meta:
        ordering = ["style", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["style", "number"], name="jobs_style_version_has_no_twin"
            ),
            models.CheckConstraint(
                name="jobs_style_versions_count_from_one", condition=Q(number__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.style} v{self.number}"
