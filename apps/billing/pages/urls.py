"""Addresses of the billing pages, below /o/<slug>/."""

from django.urls import path

from apps.billing.pages import (
    buying,
    cards,
    details,
    history,
    invoices,
    passes,
    payments,
    plans,
    reloads,
    subscription,
)

app_name = "billing"
urlpatterns = [
    path("billing/plans/", plans.Plans.as_view(), name="plans"),
    path("billing/buy/", buying.Buy.as_view(), name="buy"),
    path("billing/buy/quote/", buying.Quote.as_view(), name="buy_quote"),
    path("billing/plans/pass/", passes.BuyPass.as_view(), name="buy_pass"),
    path("billing/payments/", payments.Payments.as_view(), name="payments"),
    path("billing/payments/<str:payment_id>/", payments.PaymentPage.as_view(), name="payment"),
    path(
        "billing/payments/<str:payment_id>/status/",
        payments.PaymentStatus.as_view(),
        name="payment_status",
    ),
    path("billing/auto-reload/", reloads.AutoReloadPage.as_view(), name="auto_reload"),
    path(
        "billing/auto-reload/sentence/",
        reloads.Sentence.as_view(),
        name="auto_reload_sentence",
    ),
    path("billing/auto-reload/resume/", reloads.Resume.as_view(), name="auto_reload_resume"),
    path("billing/payment-methods/", cards.PaymentMethods.as_view(), name="payment_methods"),
    path("billing/payment-methods/save/", cards.SaveCard.as_view(), name="save_card"),
    path("billing/payment-methods/portal/", cards.Portal.as_view(), name="portal"),
    path("billing/subscription/", subscription.SubscriptionPage.as_view(), name="subscription"),
    path("billing/subscription/begin/", subscription.Subscribe.as_view(), name="subscribe"),
    path("billing/subscription/change/", subscription.ChangePlan.as_view(), name="change_plan"),
    path("billing/subscription/cancel/", subscription.Cancel.as_view(), name="cancel_plan"),
    path("billing/subscription/ask/", subscription.Ask.as_view(), name="ask_of_plan"),
    path("billing/invoices/", history.Documents.as_view(), name="invoices"),
    path("billing/invoices/statement/", invoices.Statement.as_view(), name="statement"),
    path(
        "billing/invoices/<str:document_id>/pay/",
        invoices.PayInvoice.as_view(),
        name="pay_invoice",
    ),
    path("billing/details/", details.Details.as_view(), name="details"),
    path(
        "billing/invoices/<str:document_id>/pdf/",
        history.DocumentPdf.as_view(),
        name="invoice_pdf",
    ),
]
