"""Tables of billing: what is sold, to whom, what was paid, and what Stripe told."""

from apps.billing.models.attempts import InvoiceAttempt
from apps.billing.models.catalogue import (
    CreditProduct,
    PlanVersion,
    ProductVersion,
    SubscriptionPlan,
)
from apps.billing.models.customers import Customer
from apps.billing.models.details import BillingDetails
from apps.billing.models.events import WebhookEvent
from apps.billing.models.history import BillingDocument
from apps.billing.models.payments import Payment
from apps.billing.models.plan_times import PlanTime
from apps.billing.models.reconciliation import ReconciliationCase, ReconciliationRun
from apps.billing.models.refunds import Dispute, Refund
from apps.billing.models.reload import AutoReload
from apps.billing.models.sandboxes import Sandbox
from apps.billing.models.subscriptions import OrganizationSubscription, SubscriptionChange

__all__ = [
    "AutoReload",
    "BillingDetails",
    "BillingDocument",
    "CreditProduct",
    "Customer",
    "Dispute",
    "InvoiceAttempt",
    "OrganizationSubscription",
    "Payment",
    "PlanTime",
    "PlanVersion",
    "ProductVersion",
    "ReconciliationCase",
    "ReconciliationRun",
    "Refund",
    "Sandbox",
    "SubscriptionChange",
    "SubscriptionPlan",
    "WebhookEvent",
]
