"""Addresses of the credits pages, below /o/<slug>/."""

from django.urls import path

from apps.credits.pages import budgets, danger, former, holds, prices, reading, statements, views

app_name = "credits"
urlpatterns = [
    path("", views.Overview.as_view(), name="overview"),
    path("lots/", reading.Lots.as_view(), name="lots"),
    path("usage/", reading.UsagePage.as_view(), name="usage"),
    path("explain/", reading.Explain.as_view(), name="explain"),
    path("transactions/", views.Transactions.as_view(), name="transactions"),
    path("transactions/former/", former.Former.as_view(), name="former"),
    path("transactions/<str:transaction_id>/", views.Transaction.as_view(), name="transaction"),
    path("holds/", holds.Holds.as_view(), name="holds"),
    path("holds/<str:hold_id>/", holds.HoldPage.as_view(), name="hold"),
    path("budgets/", budgets.Budgets.as_view(), name="budgets"),
    path("budgets/<str:budget_id>/", budgets.BudgetPage.as_view(), name="budget"),
    path("budgets/<str:budget_id>/switch/", budgets.SwitchBudget.as_view(), name="switch_budget"),
    path("budgets/<str:budget_id>/test/", budgets.TestAlert.as_view(), name="test_budget"),
    path("prices/", prices.Prices.as_view(), name="prices"),
    path("danger/", danger.Danger.as_view(), name="danger"),
    path("statements/", statements.Statements.as_view(), name="statements"),
]
