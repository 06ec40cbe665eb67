"""Find whose a row of a former system is: by the organization that it names, or by an address."""

from apps.core.imports import FormerRow, Unfit
from apps.rbac.models import UserRole
from apps.rbac.selectors.roles import IS_OWNER
from apps.tenants.models import Organization

# Where a file may say it; a command adds these to its own columns.
CUSTOMER_COLUMNS = {
    "organization": ("organization", "organization_slug"),
    "email": ("email", "user_email"),
}


def customer_of(row: FormerRow) -> Organization:
    """
    Return the organization that is meant by a row's `organization` or, without one, its `email`.

    An address stands for the one organization, other than a sandbox, whose owner has it.

    :raises Unfit: if there is none, it is not active, or the address owns several.
    """
    named = row.values["organization"]
    if named:
        return _named(named)
    email = row.text("email").lower()
    owned = UserRole.objects.filter(
        user__email=email,
        user__is_active=True,
        organization__is_active=True,
        organization__clock_at=None,
        **IS_OWNER,
    ).select_related("organization")
    found = [role.organization for role in owned[:2] if role.organization]
    if len(found) == 1:
        return found[0]
    problem = "It owns several organizations." if found else "It owns no organization here."
    raise Unfit("email", email, problem, "Add a column organization with its address or org_… id.")


def _named(name: str) -> Organization:
    organization_id = Organization.read_id(name)
    found = Organization.objects.filter(
        **({"pk": organization_id} if organization_id else {"slug": name})
    ).first()
    fix = "Give the address or the org_… id of an organization that is here."
    if found is None:
        raise Unfit("organization", name, "There is no such organization.", fix)
    if not found.is_active or found.clock_at is not None:
        raise Unfit("organization", name, "It is closed, deactivated or a sandbox.", fix)
    return found
