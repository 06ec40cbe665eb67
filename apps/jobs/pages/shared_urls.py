"""Addresses of jobs that are shared with a person, below /shared/."""

from django.urls import path

from apps.jobs.pages import shared

app_name = "shared_jobs"
urlpatterns = [
    path("jobs/<str:job_id>/", shared.SharedJob.as_view(), name="job"),
    path(
        "jobs/<str:job_id>/areas/<int:position>/result/",
        shared.SharedResult.as_view(),
        name="area_result",
    ),
]
