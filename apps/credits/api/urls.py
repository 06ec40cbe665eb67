"""Addresses of the credits API, below /api/v1/."""

from django.urls import path

from apps.credits.api import reading, views

app_name = "credits"
urlpatterns = [
    path("credits/balance", views.Balance.as_view(), name="balance"),
    path("credits/lots", views.Lots.as_view(), name="lots"),
    path("credits/transactions", views.Transactions.as_view(), name="transactions"),
    path("credits/transactions.csv", reading.TransactionsCsv.as_view(), name="transactions_export"),
    path("credits/usage", reading.UsageReport.as_view(), name="usage"),
    path("credits/explain", reading.Explain.as_view(), name="explain"),
    path("credits/forecast", reading.Forecast.as_view(), name="forecast"),
    path(
        "credits/transactions/<str:transaction_id>",
        views.Transaction.as_view(),
        name="transaction",
    ),
    path("credits/events", views.CreditEvents.as_view(), name="events"),
]
