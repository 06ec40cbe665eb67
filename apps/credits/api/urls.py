"""Addresses of the credits API, below /api/v1/."""

from django.urls import path

from apps.credits.api import views

app_name = "credits"
urlpatterns = [
    path("credits/balance", views.Balance.as_view(), name="balance"),
    path("credits/lots", views.Lots.as_view(), name="lots"),
    path("credits/transactions", views.Transactions.as_view(), name="transactions"),
    path(
        "credits/transactions/<str:transaction_id>",
        views.Transaction.as_view(),
        name="transaction",
    ),
    path("credits/events", views.CreditEvents.as_view(), name="events"),
]
