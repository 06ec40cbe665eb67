"""Addresses of the credits pages, below /o/<slug>/."""

from django.urls import path

from apps.credits.pages import views

app_name = "credits"
urlpatterns = [
    path("", views.Overview.as_view(), name="overview"),
    path("transactions/", views.Transactions.as_view(), name="transactions"),
    path("transactions/<str:transaction_id>/", views.Transaction.as_view(), name="transaction"),
]
