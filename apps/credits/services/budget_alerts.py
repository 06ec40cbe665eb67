"""
Tell those who manage billing when a budget reaches its thresholds, once each in a month.

A round writes a row for each budget that has passed a threshold, and then sends the rows
that wait (apps/core/mail.py). The unique key of the rows is what keeps two workers, and two
rounds, from telling the same twice.
"""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.urls import reverse

from apps.core import queue
from apps.core.clock import database_now
from apps.core.db import outside_transaction
from apps.core.mail import Claim, Round, claim_mails, renew_claim, send_mail
from apps.core.periods import next_month
from apps.credits.errors import BudgetTestTooSoon
from apps.credits.models import Budget, BudgetAlert, BudgetMonth
from apps.credits.selectors.budgets import month_of
from apps.credits.services.expiry_warnings import recipients
from apps.rbac.selectors import members_of
from apps.tenants.services.audit import record

logger = structlog.get_logger(__name__)
TEST_EVERY = timedelta(minutes=1)
# Of thresholds passed together only the highest, and none below one that was told already.
PASSED = """
    SELECT budget.id, budget.organization_id, counter.month, highest.percent,
           budget.monthly_limit, counter.used
      FROM credits_budget budget
      JOIN tenants_organization organization ON organization.id = budget.organization_id
      JOIN credits_budgetmonth counter
        ON counter.budget_id = budget.id AND counter.month
           = date_trunc('month', %(now)s::timestamptz AT TIME ZONE budget.time_zone)::date
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


@outside_transaction
def send_budget_alerts(*, limit: int = 100) -> Round:
    """
    Find what has passed a threshold, and send what waits, up to `limit` of each.

    Safe to repeat, and from several workers at once. A mail that fails is tried again when
    its claim has ended, until the month is over.
    """
    found = _write_alerts(limit)
    claims = claim_mails(BudgetAlert.objects.all(), limit=limit)
    sent = [_deliver(claim) for claim in claims]
    has_more = limit in (found, len(claims))
    return Round(mails=sent.count(True), failed=sent.count(False), has_more=has_more)


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
    queue.enqueue("credits.send_budget_alerts")
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
                mail_due_at=now,
            )
            for budget_id, organization_id, month, percent, monthly_limit, used in found
        ],
        ignore_conflicts=True,
    )
    return len(found)


def _deliver(claim: Claim) -> bool | None:
    """Send the mail of one claim; return None if there is nothing to send any more."""
    rows = BudgetAlert.objects.filter(pk=claim.pk)
    if renew_claim(rows, claim, attempts=F("attempts") + 1) is None:
        return None
    alert = rows.select_related("organization", "budget__member").get()
    to = _readers(alert) if _is_due(alert) else []
    if not to:
        logger.warning("budget_alert_dropped", alert=alert.public_id)
        rows.update(mail_due_at=None)
        return None
    try:
        send_mail(template="emails/credits/budget", to=to, context=_content(alert))
    except Exception:  # one organization's mail must not keep those of others
        logger.exception("budget_alert_failed", alert=alert.public_id)
        return False
    # Whoever holds it by now: what was sent was sent.
    rows.update(mail_due_at=None, sent_at=database_now())
    return True


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
