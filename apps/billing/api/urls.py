"""Addresses of the billing API, below /api/v1/."""

from django.urls import path

from apps.billing.api import catalogue, purchases

app_name = "billing"
urlpatterns = [
    path("plans", catalogue.Plans.as_view(), name="plans"),
    path("credit-products", catalogue.CreditProducts.as_view(), name="credit_products"),
    path("purchases", purchases.Purchases.as_view(), name="purchases"),
    path("payments", purchases.Payments.as_view(), name="payments"),
    path("payments.csv", purchases.PaymentsCsv.as_view(), name="payments_export"),
    path("payments/<str:payment_id>", purchases.OnePayment.as_view(), name="payment"),
]
