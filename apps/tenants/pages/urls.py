"""Addresses of a person's own pages, below /account/."""

from django.urls import path

from apps.tenants.pages import views

app_name = "tenants"
urlpatterns = [path("profile/", views.Profile.as_view(), name="profile")]
