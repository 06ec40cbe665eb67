"""The pages of a job that an organization elsewhere shares with a person."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core.files import stored_file
from apps.jobs import selectors
from apps.jobs.models import GenerationJob
from apps.jobs.pages.lines import shared_story
from apps.rbac.pages.person import PersonPage


class SharedJob(PersonPage):
    """The job, without what is its organization's alone."""

    def get(self, request: HttpRequest, job_id: str) -> HttpResponse:
        """Show what it is, how far it is, and what it made."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        result_url = reverse("shared_jobs:result", args=[job.public_id]) if job.result else ""
        page = {"job": shared_story(job), "owner": job.organization.name, "result_url": result_url}
        return render(request, "jobs/shared_job.html", page)


class SharedResult(PersonPage):
    """What the job made."""

    def get(self, request: HttpRequest, job_id: str) -> HttpResponseBase:
        """Return the picture."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        return stored_file(**selectors.result_of(job))
