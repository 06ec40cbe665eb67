"""How much of a project one customer may have, by the class of customers that he is in."""

from django.db import models
from django.db.models import Q

from apps.capacity.models.projects import READ_BY_ALL, Project, kilowatts
from apps.core.models import Row
from apps.core.walls import Wall
from apps.tenants.models import Organization


class CustomerClass(Row):
    """A kind of customers, such as households, for which projects can have a cap."""

    PREFIX = "ccl"
    WALL = READ_BY_ALL

    name = models.CharField(max_length=50, unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "customer classes"

    def __str__(self) -> str:
        return self.name


class Customer(Row):
    """The class in which staff put an organization. Without a row it is in none."""

    PREFIX = "ccu"
    WALL = Wall(web="SELECT")

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="+")
    customer_class = models.ForeignKey(CustomerClass, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.organization}: {self.customer_class}"


class ClassCap(Row):
    """The most that one customer of a class may have of a project, instead of its general cap."""

    PREFIX = "cap"
    WALL = READ_BY_ALL

    project = models.ForeignKey(Project, models.PROTECT, related_name="class_caps")
    customer_class = models.ForeignKey(CustomerClass, models.PROTECT, related_name="+")
    customer_cap_kw = kilowatts()

    class Meta:
        ordering = ["project", "customer_class"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "customer_class"], name="capacity_one_cap_for_each_class"
            ),
            models.CheckConstraint(
                name="capacity_class_cap_is_something", condition=Q(customer_cap_kw__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project}, {self.customer_class}: {self.customer_cap_kw} kW"
