"""Addresses of the jobs API, below /api/v1/."""

from django.urls import path

from apps.jobs.api import files, shared, styles, uploads, views, workers

app_name = "jobs"
urlpatterns = [
    path("uploads", uploads.Uploads.as_view(), name="uploads"),
    path("uploads/<str:upload_id>", uploads.Upload.as_view(), name="upload"),
    path("files/<str:file_id>", files.File.as_view(), name="file"),
    path("operations", views.Operations.as_view(), name="operations"),
    path("styles", styles.Styles.as_view(), name="styles"),
    path(
        "styles/<str:operation>/<str:style>/<int:version>/preview",
        styles.StylePreview.as_view(),
        name="style_preview",
    ),
    path("jobs", views.Jobs.as_view(), name="jobs"),
    path("jobs/quote", views.Quote.as_view(), name="quote"),
    path("jobs/<str:job_id>", views.Job.as_view(), name="job"),
    path("jobs/<str:job_id>/cancel", views.CancelJob.as_view(), name="cancel"),
    path("jobs/<str:job_id>/retry", views.RetryJob.as_view(), name="retry"),
    path(
        "jobs/<str:job_id>/areas/<int:position>/result",
        views.AreaResult.as_view(),
        name="area_result",
    ),
    path("shared/jobs/<str:job_id>", shared.SharedJob.as_view(), name="shared_job"),
    path(
        "shared/jobs/<str:job_id>/areas/<int:position>/result",
        shared.SharedResult.as_view(),
        name="shared_area_result",
    ),
    path("worker/claims", workers.Claims.as_view(), name="claims"),
    path(
        "worker/claims/<str:claim_id>/heartbeat",
        workers.ClaimHeartbeat.as_view(),
        name="claim_heartbeat",
    ),
    path(
        "worker/claims/<str:claim_id>/picture", workers.ClaimPicture.as_view(), name="claim_picture"
    ),
    path("worker/claims/<str:claim_id>/result", workers.ClaimResult.as_view(), name="claim_result"),
    path("worker/claims/<str:claim_id>/fail", workers.FailedClaim.as_view(), name="claim_fail"),
    path(
        "worker/claims/<str:claim_id>/release",
        workers.ReleasedClaim.as_view(),
        name="claim_release",
    ),
]
