"""Addresses of the pages of capacity, below /o/<slug>/."""

from django.urls import path

from apps.capacity.pages import (
    allocations,
    asking,
    generation,
    paying,
    projects,
    reservations,
    waiting,
)

app_name = "capacity"
urlpatterns = [
    path("capacity/", projects.Projects.as_view(), name="projects"),
    path("capacity/projects/<str:project>/", asking.ProjectPage.as_view(), name="project"),
    path("capacity/reservations/", reservations.Reservations.as_view(), name="reservations"),
    path(
        "capacity/reservations/<str:reservation_id>/",
        reservations.ReservationPage.as_view(),
        name="reservation",
    ),
    path(
        "capacity/reservations/<str:reservation_id>/release/",
        reservations.Release.as_view(),
        name="release",
    ),
    path(
        "capacity/reservations/<str:reservation_id>/certificate/",
        reservations.ReservationCertificate.as_view(),
        name="reservation_certificate",
    ),
    path("capacity/allocations/", allocations.Allocations.as_view(), name="allocations"),
    path("capacity/allocations/cancel/", allocations.Cancel.as_view(), name="cancel"),
    path(
        "capacity/allocations/<str:allocation_id>/certificate/",
        allocations.Certificate.as_view(),
        name="certificate",
    ),
    path("capacity/generation/", generation.Generation.as_view(), name="generation"),
    path("capacity/waiting/", waiting.Waiting.as_view(), name="waiting"),
    path(
        "capacity/waiting/<str:waitlist_entry_id>/leave/",
        waiting.Leave.as_view(),
        name="leave_waiting",
    ),
    path("capacity/reservations/<str:reservation_id>/pay/", paying.Pay.as_view(), name="pay"),
    path("capacity/reservations/<str:reservation_id>/paid/", paying.Paid.as_view(), name="paid"),
]
