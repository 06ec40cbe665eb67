"""Addresses of what is shared with a person, below /shared/."""

from django.urls import path

from apps.rbac.pages import sharing

app_name = "shared"
urlpatterns = [path("", sharing.SharedWithMe.as_view(), name="list")]
