"""Addresses of the credits API, below /api/v1/."""

from django.urls import path

from apps.credits.api import prices, reading, statements, views

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
    path("credits/statements", statements.Statements.as_view(), name="statements"),
    path("credits/events", views.CreditEvents.as_view(), name="events"),
    path(
        "credits/events/<str:name>/versions",
        prices.CreditEventVersions.as_view(),
        name="event_versions",
    ),
    path("credits/check", prices.Check.as_view(), name="check"),
    path("credits/quote", prices.Quote.as_view(), name="quote"),
]
