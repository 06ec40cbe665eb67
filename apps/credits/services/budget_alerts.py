"""
Tell those who manage billing when a budget reaches its thresholds, once each in a month.

A round writes a row for each budget that has passed a threshold, and then sends the rows
that wait. The unique key of the rows is what keeps two workers, and two rounds, from telling
the same twice. A mail that fails is tried again for as long as its month lasts.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from apps.core.clock import database_now
from apps.core.mail import Letter, Queue
from apps.core.periods import next_month
from apps.core.queue import enqueue
from apps.credits.errors import BudgetTestTooSoon
from apps.credits.models import Budget, BudgetAlert, BudgetMonth
from apps.credits.selectors.budgets import month_of
from apps.credits.services.expiry_warnings import recipients
from apps.rbac.selectors import members_of
from apps.tenants.services.audit import record

TEST_EVERY = timedelta(minutes=1)
# Of thresholds passed together only the highest, and none below one that was told already.
# In a sandbox the month is that of its own clock.
PASSED = """
    SELECT budget.id, budget.organization_id, counter.month, highest.percent,
           budget.monthly_limit, counter.used, coalesce(organization.clock_at, %(now)s)
      FROM credits_budget budget
      JOIN tenants_organization organization ON organization.id = budget.organization_id
      JOIN credits_budgetmonth counter
        ON counter.budget_id = budget.id AND counter.month
           = date_trunc('month', coalesce(organization.clock_at, %(now)s::timestamptz)
                                 AT TIME ZONE budget.time_zone)::date
     CROSS JOIN LATERAL (
           SELECT max(percent) AS percent FROM unnest(budget.thresholds) AS percent
            WHERE counter.used * 100 >= percent * budget.monthly_limit) AS highest
     WHERE budget.is_active AND organization.is_active
       AND counter.used > 0 AND highest.percent IS NOT NULL
       AND NOT EXISTS (
           SELECT FROM credits_budgetalert alert
            WHERE alert.budget_id = budget.id AND alert.month = counter.month
              AND alert.monthly_limit = budget.monthly_limit
              AND alert.percent >= highest.percent AND NOT alert.is_test)
     ORDER BY budget.id LIMIT %(limit)s
"""


@transaction.atomic
def send_test_alert(*, budget: Budget) -> BudgetAlert:
    """
    Let a mail go out as if the highest threshold was reached, to everybody who would get it.

    :raises BudgetTestTooSoon: if there was one within the last minute.
    """
    now = database_now()
    lately = {"budget": budget, "is_test": True, "created_at__gt": now - TEST_EVERY}
    if BudgetAlert.objects.filter(**lately).exists():
        raise BudgetTestTooSoon
    month = month_of(budget.time_zone, now)
    counter = BudgetMonth.objects.filter(budget=budget, month=month).first()
    alert = BudgetAlert.objects.create(
        organization_id=budget.organization_id,
        budget=budget,
        month=month,
        percent=max(budget.thresholds, default=100),
        monthly_limit=budget.monthly_limit,
        used=counter.used if counter else 0,
        is_test=True,
        mail_due_at=now,
    )
    record(
        action="budget.test",
        organization=budget.organization,
        object_id=budget.public_id,
        after={"alert": alert.public_id},
    )
    enqueue("core.send_mails", queue="budgets")
    return alert


@transaction.atomic
def _write_alerts(limit: int) -> int:
    """Write a row for each budget that has passed a threshold, unless another worker has."""
    now = database_now()
    with connection.cursor() as cursor:
        cursor.execute(PASSED, {"now": now, "limit": limit})
        found = cursor.fetchall()
    # In the order of their budgets, so that two workers never wait for each other in a circle.
    BudgetAlert.objects.bulk_create(
        [
            BudgetAlert(
                budget_id=budget_id,
                organization_id=organization_id,
                month=month,
                percent=percent,
                monthly_limit=monthly_limit,
                used=used,
                mail_due_at=moment,
            )
            for budget_id, organization_id, month, percent, monthly_limit, used, moment in found
        ],
        ignore_conflicts=True,
    )
    return len(found)


def _letters(rows: list[BudgetAlert]) -> list[Letter]:
    """Tell everybody of it in one mail, while it is news and somebody is there."""
    (alert,) = rows
    to = _readers(alert) if _is_due(alert) else []
    return [Letter("emails/credits/budget", to, _content(alert))] if to else []


def _is_due(alert: BudgetAlert) -> bool:
    """Tell whether it is still news."""
    is_now = alert.month == month_of(alert.budget.time_zone, database_now())
    return alert.is_test or (alert.budget.is_active and is_now)


def _readers(alert: BudgetAlert) -> list[str]:
    """Return the addresses of those who manage billing, and of the member whose budget it is."""
    to = recipients(alert.organization)
    member = alert.budget.member
    if member and member.is_active and members_of(alert.organization).filter(pk=member.pk).exists():
        to.append(member.email)
    return list(dict.fromkeys(to))


def _content(alert: BudgetAlert) -> dict[str, Any]:
    """Return what the mail says: how much is used, and what happens at the limit."""
    path = reverse("credits:budget", args=[alert.organization.slug, alert.budget.public_id])
    return {
        "organization": alert.organization,
        "alert": alert,
        "budget": alert.budget,
        "member": alert.budget.member,
        "share": alert.used * 100 // alert.monthly_limit if alert.monthly_limit else None,
        "stops": alert.budget.action == Budget.Action.STOP,
        "resets_on": next_month(alert.month),
        "url": f"{settings.BASE_URL}{path}",
    }


QUEUE = Queue(
    name="budgets",
    rows=lambda: BudgetAlert.objects.select_related("organization", "budget__member"),
    letters=_letters,
    fill=_write_alerts,
)
