"""Write down what was done, and what was refused."""

from typing import Any

from apps.core import context
from apps.core.db import inside_transaction
from apps.core.personal import Concealed, conceal
from apps.tenants.models import AuditLog, Organization, PersonalValue


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
    """
    Add a row in the transaction of the deed; who did it, and where from, is known here.

    Names, addresses and the like go beside the row, which holds tokens for them: the row can
    never be changed, and a person may have himself erased.
    """
    cause = context.current()
    kept: list[Concealed] = []
    before, after, reason = conceal([before, after, reason], kept)
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
    if kept:
        values = PersonalValue.objects.across_organizations("written with its row")
        values.bulk_create(
            PersonalValue(
                token=one.token,
                organization=organization,
                entry=row,
                salt=one.salt,
                value=one.value,
            )
            for one in kept
        )
    return row
