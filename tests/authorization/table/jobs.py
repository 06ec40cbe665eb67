"""Rows of jobs: pages and API."""

from tests.authorization.rows import api, everybody, page, shared, worker

JOB = {
    "operation": "image.restyle",
    "parameters": {"style": "dusk"},
    "upload_id": "{upload_id}",
}
DUSK = {"operation": "image.restyle", "style": "dusk", "version": "1"}  # everybody's

ROWS = [
    api("POST", "uploads", "jobs.submit"),
    api("GET", "uploads", "jobs.view_own"),
    api("GET", "uploads/<str:upload_id>", "jobs.view_own", sees="jobs.view"),
    api("DELETE", "uploads/<str:upload_id>", "jobs.submit", sees="jobs.view"),
    # Opened by a signature alone: tests/jobs/test_links.py.
    everybody("GET", "api/v1/files/<str:file_id>", code="nothing", fixed={"file_id": "upl_x"}),
    api("GET", "operations", "jobs.view_own"),
    api("GET", "styles", "jobs.view_own"),
    api(
        "GET",
        "styles/<str:operation>/<str:style>/<int:version>/preview",
        "jobs.view_own",
        fixed=DUSK,
    ),
    api("GET", "jobs", "jobs.view_own"),
    api("POST", "jobs", "jobs.submit", body=JOB, names="upload_id", absent=400),
    api("POST", "jobs/quote", "jobs.view_own", body={"operation": "image.restyle"}),
    api("GET", "jobs/<str:job_id>", "jobs.view_own", sees="jobs.view"),
    api("POST", "jobs/<str:job_id>/cancel", "jobs.cancel", sees="jobs.view"),
    api("POST", "jobs/<str:job_id>/retry", "jobs.submit", sees="jobs.view"),
    api("GET", "jobs/<str:job_id>/areas/<int:position>/result", "jobs.view_own", sees="jobs.view"),
    page("GET", "jobs/", "jobs.view_own"),
    page("GET POST", "jobs/new/", "jobs.submit"),
    page("GET", "jobs/quote/", "jobs.submit", query={"operation": "image.restyle"}),
    page("GET", "jobs/pictures/", "jobs.view_own"),
    page("POST", "jobs/pictures/<str:upload_id>/delete/", "jobs.submit", sees="jobs.view"),
    page(
        "GET",
        "jobs/styles/<str:operation>/<str:style>/<int:version>/preview/",
        "jobs.view_own",
        fixed=DUSK,
    ),
    page("GET", "jobs/<str:job_id>/", "jobs.view_own", sees="jobs.view"),
    page("GET", "jobs/<str:job_id>/status/", "jobs.view_own", sees="jobs.view"),
    page("POST", "jobs/<str:job_id>/cancel/", "jobs.cancel", sees="jobs.view"),
    page("POST", "jobs/<str:job_id>/retry/", "jobs.submit", sees="jobs.view"),
    page(
        "GET", "jobs/<str:job_id>/areas/<int:position>/result/", "jobs.view_own", sees="jobs.view"
    ),
    page(
        "GET", "jobs/<str:job_id>/areas/<int:position>/original/", "jobs.view_own", sees="jobs.view"
    ),
    worker("POST", "claims"),
    worker("GET", "claims/<str:claim_id>/picture"),
    worker("PUT", "claims/<str:claim_id>/result"),
    worker("POST", "claims/<str:claim_id>/heartbeat"),
    worker("POST", "claims/<str:claim_id>/fail", body={"code": "no", "message": "No."}),
    worker("POST", "claims/<str:claim_id>/release"),
    shared("GET", "api/v1/shared/jobs/<str:job_id>"),
    shared("GET", "api/v1/shared/jobs/<str:job_id>/areas/<int:position>/result"),
    shared("GET", "shared/jobs/<str:job_id>/"),
    shared("GET", "shared/jobs/<str:job_id>/areas/<int:position>/result/"),
]
