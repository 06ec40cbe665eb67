"""Addresses of the programmes that a person may join, below /programmes/."""

from django.urls import path

from apps.partners.pages import programmes

app_name = "programmes"
urlpatterns = [
    path("", programmes.Programmes.as_view(), name="list"),
    path("<str:rule_id>/join/", programmes.Join.as_view(), name="join"),
]
