"""Addresses of the billing API, below /api/v1/."""

from django.urls import path

from apps.billing.api import (
    catalogue,
    details,
    history,
    invoices,
    passes,
    payment_methods,
    purchases,
    reloads,
    subscriptions,
    upcoming,
    verifying,
)

app_name = "billing"
urlpatterns = [
    path("plans", catalogue.Plans.as_view(), name="plans"),
    path("credit-products", catalogue.CreditProducts.as_view(), name="credit_products"),
    path("purchases", purchases.Purchases.as_view(), name="purchases"),
    path("passes", passes.Passes.as_view(), name="passes"),
    path("passes/preview", passes.Preview.as_view(), name="pass_preview"),
    path("auto-reload", reloads.AutoReloads.as_view(), name="auto_reload"),
    path("auto-reload/resume", reloads.ResumeAutoReload.as_view(), name="auto_reload_resume"),
    path(
        "auto-reload/simulation",
        reloads.SimulateAutoReload.as_view(),
        name="auto_reload_simulation",
    ),
    path("payments", purchases.Payments.as_view(), name="payments"),
    path("payments.csv", purchases.PaymentsCsv.as_view(), name="payments_export"),
    path("payments/verify", verifying.VerifyPayment.as_view(), name="verify_payment"),
    path("payments/<str:payment_id>", purchases.OnePayment.as_view(), name="payment"),
    path("payment-methods", payment_methods.PaymentMethods.as_view(), name="payment_methods"),
    path(
        "payment-methods/<str:method_id>",
        payment_methods.OnePaymentMethod.as_view(),
        name="payment_method",
    ),
    path(
        "payment-methods/<str:method_id>/default",
        payment_methods.DefaultPaymentMethod.as_view(),
        name="default_payment_method",
    ),
    path("subscription", subscriptions.Subscription.as_view(), name="subscription"),
    path("subscription/preview", subscriptions.Preview.as_view(), name="preview"),
    path("subscription/next-invoice", upcoming.Upcoming.as_view(), name="next_invoice"),
    path("subscription/change", subscriptions.Change.as_view(), name="change"),
    path("subscription/cancel", subscriptions.Cancel.as_view(), name="cancel"),
    path("subscription/undo", subscriptions.Undo.as_view(), name="undo"),
    path("subscription/pause", subscriptions.Pause.as_view(), name="pause"),
    path("subscription/resume", subscriptions.Resume.as_view(), name="resume"),
    path("billing-history", history.BillingHistory.as_view(), name="billing_history"),
    path("billing-history.csv", history.BillingHistoryCsv.as_view(), name="billing_history_export"),
    path("billing-history/totals", invoices.Totals.as_view(), name="billing_totals"),
    path("billing-history/statement", invoices.Statement.as_view(), name="billing_statement"),
    path("billing-history/<str:document_id>", history.OneDocument.as_view(), name="document"),
    path(
        "billing-history/<str:document_id>/pay",
        invoices.PayInvoice.as_view(),
        name="pay_invoice",
    ),
    path("billing-details", details.Details.as_view(), name="billing_details"),
]
