"""Addresses of access, below /api/v1/."""

from django.urls import path

from apps.rbac.api import audit, views

app_name = "rbac"
urlpatterns = [
    path("organization", views.OrganizationView.as_view(), name="organization"),
    path("me", views.Me.as_view(), name="me"),
    path("audit", audit.AuditRows.as_view(), name="audit"),
    path("audit.csv", audit.AuditCsv.as_view(), name="audit_export"),
    path("audit/<str:audit_id>", audit.AuditRow.as_view(), name="audit_row"),
    path("keys", views.Keys.as_view(), name="keys"),
    path("keys/<str:key_id>", views.Key.as_view(), name="key"),
    path("keys/<str:key_id>/revoke", views.RevokedKey.as_view(), name="revoke_key"),
]
