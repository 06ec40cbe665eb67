"""What can be done, and who may do it where."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.core.models import Row
from apps.core.walls import MINE, Wall
from apps.tenants.models import Organization

MY_ROLES = f"(SELECT role_id FROM rbac_userrole WHERE user_id = {MINE})"  # noqa: S608


class Permission(Row):
    """Something that can be done: `resource.action`. All stand in permissions.py."""

    PREFIX = "prm"
    WALL = Wall(whose="", web="SELECT")

    name = models.CharField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    resource = models.CharField(max_length=50)
    action = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Role(Row):
    """
    A named set of permissions.

    System roles belong to no organization and can be used in each; an organization's
    own roles have names that are unique within it, whatever their capitals.
    """

    PREFIX = "rol"
    WALL = Wall(also_read=f"organization_id IS NULL OR id IN {MY_ROLES}")

    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", null=True, blank=True
    )
    name = models.CharField(max_length=50)
    description = models.TextField(blank=True)
    is_system_role = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)  # counts the changes: who edits names his
    updated_at = models.DateTimeField(auto_now=True)
    permissions = models.ManyToManyField(Permission, through="RolePermission", related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization",
                Lower("name"),
                name="rbac_role_name_is_unique_in_its_organization",
                nulls_distinct=False,
                violation_error_message="There is a role with this name already.",
            ),
            models.CheckConstraint(
                name="rbac_system_role_has_no_organization",
                condition=Q(is_system_role=False) | Q(organization=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RolePermission(Row):
    """One permission of one role."""

    PREFIX = "rpm"
    WALL = Wall(
        whose="(SELECT organization_id FROM rbac_role WHERE rbac_role.id = role_id)",
        also_read="EXISTS (SELECT FROM rbac_role WHERE rbac_role.id = role_id)",
    )

    role = models.ForeignKey(Role, models.CASCADE, related_name="+")
    permission = models.ForeignKey(Permission, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "permission"], name="rbac_permission_once_per_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.permission}"


class UserRole(Row):
    """A person's role: in one organization, or (staff) everywhere."""

    PREFIX = "mbr"
    WALL = Wall(also_read=f"organization_id IS NULL OR user_id = {MINE}")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="+", null=True, blank=True
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "user", "role"],
                name="rbac_role_once_per_person_and_organization",
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["user", "organization"], name="rbac_roles_of_person")]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"
