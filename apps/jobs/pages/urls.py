"""Addresses of the jobs pages, below /o/<slug>/."""

from django.urls import path

from apps.jobs.pages import views

app_name = "jobs"
urlpatterns = [
    path("jobs/", views.Jobs.as_view(), name="list"),
    path("jobs/new/", views.Submit.as_view(), name="submit"),
    path("jobs/quote/", views.Quote.as_view(), name="quote"),
    path("jobs/<str:job_id>/", views.JobPage.as_view(), name="job"),
    path("jobs/<str:job_id>/status/", views.JobStatus.as_view(), name="status"),
    path("jobs/<str:job_id>/cancel/", views.CancelJob.as_view(), name="cancel"),
    path("jobs/<str:job_id>/result/", views.JobResult.as_view(), name="result"),
    path("jobs/<str:job_id>/original/", views.JobOriginal.as_view(), name="original"),
]
