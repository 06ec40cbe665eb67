"""What billing refuses, and what Stripe says no to."""

from apps.billing.errors.buying import (
    AmountNotOffered,
    CardNeeded,
    CatalogueNameTaken,
    NotForSale,
    PaymentDiffers,
    PaymentMethodInUse,
    PriceChanged,
    TermsRefused,
)
from apps.billing.errors.documents import (
    BillingDetailsRefused,
    InvoiceNotOpen,
    StatementTooLarge,
)
from apps.billing.errors.reconciliation import CaseClosed, CaseNotRepairable, CaseOvertaken
from apps.billing.errors.refunds import (
    PaymentDisputed,
    PaymentNotRefundable,
    PaymentRefunded,
    RefundDiffers,
    RefundTooLarge,
)
from apps.billing.errors.reloads import ConsentNeeded, ReloadNotOffered, ReloadTermsRefused
from apps.billing.errors.sandboxes import SandboxIsMoving, SandboxRefused
from apps.billing.errors.stripe import (
    AuthenticationNeeded,
    BillingNotConfigured,
    DeliveryTooLarge,
    PaymentDeclined,
    SignatureRefused,
    StripeRefused,
    StripeUnavailable,
    WrongMode,
)
from apps.billing.errors.subscriptions import (
    AlreadySubscribed,
    BillingUnderWay,
    ChangeNotPossible,
    ChangeUnderWay,
    NotSubscribed,
    PlanNotOffered,
    PlanTimeRefused,
    QuantityNotOffered,
)

__all__ = [
    "AlreadySubscribed",
    "AmountNotOffered",
    "AuthenticationNeeded",
    "BillingDetailsRefused",
    "BillingNotConfigured",
    "BillingUnderWay",
    "CardNeeded",
    "CaseClosed",
    "CaseNotRepairable",
    "CaseOvertaken",
    "CatalogueNameTaken",
    "ChangeNotPossible",
    "ChangeUnderWay",
    "ConsentNeeded",
    "DeliveryTooLarge",
    "InvoiceNotOpen",
    "NotForSale",
    "NotSubscribed",
    "PaymentDeclined",
    "PaymentDiffers",
    "PaymentDisputed",
    "PaymentMethodInUse",
    "PaymentNotRefundable",
    "PaymentRefunded",
    "PlanNotOffered",
    "PlanTimeRefused",
    "PriceChanged",
    "QuantityNotOffered",
    "RefundDiffers",
    "RefundTooLarge",
    "ReloadNotOffered",
    "ReloadTermsRefused",
    "SandboxIsMoving",
    "SandboxRefused",
    "SignatureRefused",
    "StatementTooLarge",
    "StripeRefused",
    "StripeUnavailable",
    "TermsRefused",
    "WrongMode",
]
