"""Lock subscriptions so that what they belong to is of after the wait."""

from django.db.models import QuerySet

from apps.billing.models import OrganizationSubscription


def lock_subscriptions(
    rows: QuerySet[OrganizationSubscription],
) -> QuerySet[OrganizationSubscription]:
    """
    Lock what is found, and read its organization and versions once it is locked.

    A join would be of before the wait: whoever waits for a change of plan would find no row at
    all, as it no longer belongs to the version that was joined, or a next version of None.
    Source: Read Committed re-checks a row's own columns, and reads no joined table again,
    https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED.
    """
    related = ("organization", "version__plan", "next_version__plan")
    return rows.select_for_update().prefetch_related(*related)
