"""Addresses of the jobs pages, below /o/<slug>/."""

from django.urls import path

from apps.jobs.pages import pictures, submitting, views

app_name = "jobs"
urlpatterns = [
    path("jobs/", views.Jobs.as_view(), name="list"),
    path("jobs/new/", submitting.Submit.as_view(), name="submit"),
    path("jobs/quote/", submitting.Quote.as_view(), name="quote"),
    path("jobs/pictures/", pictures.Pictures.as_view(), name="pictures"),
    path(
        "jobs/pictures/<str:upload_id>/delete/",
        pictures.DeletePicture.as_view(),
        name="delete_picture",
    ),
    path(
        "jobs/styles/<str:operation>/<str:style>/<int:version>/preview/",
        views.StylePreview.as_view(),
        name="style_preview",
    ),
    path("jobs/<str:job_id>/", views.JobPage.as_view(), name="job"),
    path("jobs/<str:job_id>/status/", views.JobStatus.as_view(), name="status"),
    path("jobs/<str:job_id>/cancel/", views.CancelJob.as_view(), name="cancel"),
    path("jobs/<str:job_id>/retry/", views.RetryJob.as_view(), name="retry"),
    path(
        "jobs/<str:job_id>/areas/<int:position>/result/",
        views.AreaResult.as_view(),
        name="area_result",
    ),
    path(
        "jobs/<str:job_id>/areas/<int:position>/original/",
        views.AreaOriginal.as_view(),
        name="area_original",
    ),
]
