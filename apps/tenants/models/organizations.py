"""Organizations and the people in them."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from apps.core.models import Row
from apps.core.rows import RowManager
from apps.core.walls import MINE, Wall

WHERE_I_BELONG = f"(SELECT organization_id FROM rbac_userrole WHERE user_id = {MINE})"  # noqa: S608
WHO_SHARES_WITH_ME = (
    f"(SELECT organization_id FROM rbac_share WHERE user_id = {MINE} AND revoked_at IS NULL"  # noqa: S608
    " AND (expires_at IS NULL OR expires_at > now()))"
)


class UserManager(BaseUserManager["User"]):
    """Makes people; their e-mail is kept in lower case, so that one address is one person."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a person who may sign in with this password, or with none until he sets one."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Save a person who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a person by e-mail, however it is written."""
        return self.get(email=(username or "").strip().lower())


class User(Row, AbstractBaseUser, PermissionsMixin):
    """A person. What he may do in an organization is told by his roles there."""

    PREFIX = "usr"

    email = models.EmailField(unique=True)  # in lower case, so one address is one person
    full_name = models.CharField(max_length=150, blank=True)
    avatar_url = models.URLField(blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May open the admin.")

    # Set where staff look in the person's place: the one organization that they may see.
    only_in: UUID | None = None

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenants_email_is_in_lower_case", condition=Q(email=Lower("email"))
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """Return the person's name, or his address where he gave none."""
        return self.full_name or self.email


class Organization(Row):
    """A customer: owns wallets, jobs and whatever else is bought or spent."""

    PREFIX = "org"
    # The switcher lists those where I belong, and what is shared with me says whose it is.
    WALL = Wall(whose="id", also_read=f"id IN {WHERE_I_BELONG} OR id IN {WHO_SHARES_WITH_ME}")

    name = models.CharField(max_length=100)
    slug = models.CharField(
        max_length=100,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]+(-[a-z0-9]+)*$")],
        help_text="Names the organization in addresses.",
    )
    description = models.TextField(blank=True)
    website = models.URLField(max_length=500, blank=True)
    billing_email = models.EmailField(blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")  # in which its days and months end
    is_personal = models.BooleanField(default=False)  # made at sign-up for one who named none
    max_users = models.PositiveIntegerField(
        null=True, blank=True, help_text="Most members it may have; empty for no limit."
    )
    is_active = models.BooleanField(default=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # by its owner, who may undo it
    requires_second_factor = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its pages open only to those who have shown a second factor.",
    )
    # Where its time stands still until staff move it on: a sandbox. None: the clock's own time.
    clock_at = models.DateTimeField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenants_closed_organization_is_not_active",
                condition=Q(closed_at=None) | Q(is_active=False),
            ),
            models.CheckConstraint(
                name="tenants_slug_is_well_formed",
                condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def email(self) -> str:
        """Where invoices go; dj-stripe asks for it by this name."""
        return self.billing_email

    @property
    def status(self) -> str:
        """Whether it works: active, closed (by its owner) or deactivated (by staff)."""
        if self.closed_at is not None:
            return "closed"
        return "active" if self.is_active else "deactivated"


class OrganizationSlug(models.Model):
    """A slug that an organization has or had. It is never given to another, so links stay."""

    WALL = Wall(also_read=f"organization_id IN {WHERE_I_BELONG}")  # a former address leads on

    slug = models.CharField(max_length=100, primary_key=True)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="slugs")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RowManager()

    def __str__(self) -> str:
        return self.slug
