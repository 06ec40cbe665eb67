"""Staff who look in a member's place, for tests."""

from apps.rbac.models import Impersonation
from apps.rbac.services.impersonation_sessions import begin
from apps.rbac.services.impersonations import start_impersonation
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import Organization, User
from tests.people import make_person, signed_in

REASON, TICKET = "They cannot find their invoices", "T-1042"


def make_support(**fields) -> User:
    person = make_person(is_staff=True, full_name=fields.pop("full_name", "Sol Support"), **fields)
    assign_role(user=person, role=system_role("support"), organization=None)
    return person


def start(staff: User, user: User, organization: Organization, **fields) -> Impersonation:
    return start_impersonation(
        staff_user=staff,
        user=user,
        organization=organization,
        **{"reason": REASON, "ticket": TICKET, **fields},
    )


def looking(staff: User, user: User, organization: Organization):
    """Return a client in whose session the staff person looks in the member's place."""
    client = signed_in(staff)
    session = client.session
    begin(session=session, impersonation=start(staff, user, organization))
    client.cookies["sessionid"] = session.session_key
    return client
