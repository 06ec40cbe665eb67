"""Addresses of a person's own pages, below /account/."""

from django.urls import path

from apps.tenants.pages import second_factor, sessions, views

app_name = "tenants"
urlpatterns = [
    path("profile/", views.Profile.as_view(), name="profile"),
    path("second-factor/", second_factor.SecondFactor.as_view(), name="second_factor"),
    path("sessions/", sessions.Sessions.as_view(), name="sessions"),
    path("sessions/<int:session_id>/end/", sessions.EndSession.as_view(), name="end_session"),
]
