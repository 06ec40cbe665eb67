"""Addresses of the credits API, below /api/v1/."""

from django.urls import path

from apps.credits.api import closing, former, own, prices, reading, statements, views
from apps.credits.api.commands import budgets, charges, holds, staff, wallets

app_name = "credits"
urlpatterns = [
    path("credits/balance", views.Balance.as_view(), name="balance"),
    path("credits/lots", views.Lots.as_view(), name="lots"),
    path("credits/own/balance", own.OwnBalance.as_view(), name="own_balance"),
    path("credits/own/lots", own.OwnLots.as_view(), name="own_lots"),
    path("credits/own/transactions", own.OwnTransactions.as_view(), name="own_transactions"),
    path("credits/transactions", views.Transactions.as_view(), name="transactions"),
    path("credits/transactions.csv", reading.TransactionsCsv.as_view(), name="transactions_export"),
    path("credits/former", former.FormerMovements.as_view(), name="former"),
    path("credits/former.csv", former.FormerMovementsCsv.as_view(), name="former_export"),
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
    path("credits/spend", charges.Spend.as_view(), name="spend"),
    path("credits/refunds", charges.Refunds.as_view(), name="refunds"),
    path("credits/wallets", wallets.Wallets.as_view(), name="wallets"),
    path("credits/holds", holds.Holds.as_view(), name="holds"),
    path("credits/holds/<str:hold_id>", holds.OneHold.as_view(), name="hold"),
    path("credits/holds/<str:hold_id>/capture", holds.Capture.as_view(), name="hold_capture"),
    path("credits/holds/<str:hold_id>/release", holds.Release.as_view(), name="hold_release"),
    path("credits/holds/<str:hold_id>/renew", holds.Renew.as_view(), name="hold_renew"),
    path("credits/budgets", budgets.Budgets.as_view(), name="budgets"),
    path("credits/budgets/<str:budget_id>", budgets.OneBudget.as_view(), name="budget"),
    path("credits/budgets/<str:budget_id>/months", budgets.Months.as_view(), name="budget_months"),
    path("credits/budgets/<str:budget_id>/alerts", budgets.Alerts.as_view(), name="budget_alerts"),
    path("credits/budgets/<str:budget_id>/test", budgets.Test.as_view(), name="budget_test"),
    path("staff/corrections", staff.Corrections.as_view(), name="corrections"),
    path("staff/corrections/<str:correction_id>", staff.OneCorrection.as_view(), name="correction"),
    path(
        "staff/corrections/<str:correction_id>/approve",
        staff.Approve.as_view(),
        name="correction_approve",
    ),
    path(
        "staff/corrections/<str:correction_id>/reject",
        staff.Reject.as_view(),
        name="correction_reject",
    ),
    path("staff/wallets/<str:wallet_id>", staff.WalletStatus.as_view(), name="wallet_status"),
    path("organization/closing", closing.Closing.as_view(), name="closing"),
    path("credits/check", prices.Check.as_view(), name="check"),
    path("credits/quote", prices.Quote.as_view(), name="quote"),
]
