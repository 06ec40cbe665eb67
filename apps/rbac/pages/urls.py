"""Addresses of access and settings, below /o/<slug>/."""

from django.urls import path

from apps.rbac.pages import audit, views

app_name = "rbac"
urlpatterns = [
    path("settings/", views.Settings.as_view(), name="organization"),
    path("audit/", audit.Audit.as_view(), name="audit"),
    path("keys/", views.Keys.as_view(), name="keys"),
    path("keys/<str:key_id>/revoke/", views.RevokeKey.as_view(), name="revoke_key"),
]
