"""Write down what was done, and what was refused."""

from typing import Any

from apps.core import context
from apps.core.db import inside_transaction
from apps.tenants.models import AuditLog, Organization


@inside_transaction
def record(
    *,
    action: str,
    organization: Organization | None = None,
    object_id: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    result: AuditLog.Result = AuditLog.Result.DONE,
    reason: str = "",
) -> AuditLog:
    """Add a row in the transaction of the deed; who did it, and where from, is known here."""
    cause = context.current()
    row = AuditLog(
        organization=organization,
        actor=cause.actor,
        acting_as=cause.acting_as,
        action=action,
        object_id=object_id,
        before=before,
        after=after,
        result=result,
        reason=reason,
        request_id=cause.request_id,
        ip_address=cause.ip_address,
        user_agent=cause.user_agent,
    )
    row.save(force_insert=True)
    return row
