"""Addresses of the capacity API, below /api/v1/."""

from django.urls import path

from apps.capacity.api import generation, holdings, paying, projects, waiting

app_name = "capacity"
urlpatterns = [
    path("projects", projects.Projects.as_view(), name="projects"),
    path("projects/<str:project>", projects.OneProject.as_view(), name="project"),
    path("projects/<str:project>/available", projects.Available.as_view(), name="available"),
    path("projects/<str:project>/blocks", projects.Blocks.as_view(), name="blocks"),
    path("projects/<str:project>/blocks/<str:serial>", projects.OneBlock.as_view(), name="block"),
    path(
        "projects/<str:project>/readings",
        generation.ProjectReadings.as_view(),
        name="project_readings",
    ),
    path("generation", generation.Generation.as_view(), name="generation"),
    path("generation/shares", generation.GenerationShares.as_view(), name="generation_shares"),
    path("staff/readings", generation.Readings.as_view(), name="readings"),
    path("allocations", holdings.Allocations.as_view(), name="allocations"),
    path("allocations/quote", holdings.Quote.as_view(), name="quote"),
    path("allocations/cancel", holdings.CancelAllocations.as_view(), name="cancel"),
    path("allocations/<str:allocation_id>", holdings.OneAllocation.as_view(), name="allocation"),
    path("reservations", holdings.Reservations.as_view(), name="reservations"),
    path(
        "reservations/<str:reservation_id>", holdings.OneReservation.as_view(), name="reservation"
    ),
    path(
        "reservations/<str:reservation_id>/release",
        holdings.ReleaseReservation.as_view(),
        name="release",
    ),
    path("waiting-list", waiting.WaitingList.as_view(), name="waiting_list"),
    path("waiting-list/<str:waitlist_entry_id>", waiting.OneEntry.as_view(), name="waitlist_entry"),
    path(
        "waiting-list/<str:waitlist_entry_id>/leave",
        waiting.LeaveWaitingList.as_view(),
        name="leave_waiting_list",
    ),
    path("reservations/<str:reservation_id>/pay", paying.PayReservation.as_view(), name="pay"),
]
