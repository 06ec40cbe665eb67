"""The pages of a job that an organization elsewhere shares with a person."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from apps.core.files import handed_out
from apps.jobs import selectors
from apps.jobs.models import GenerationArea, GenerationJob
from apps.jobs.pages.lines import shared_area, shared_story
from apps.rbac.pages.person import PersonPage


class SharedJob(PersonPage):
    """The job, without what is its organization's alone."""

    def get(self, request: HttpRequest, job_id: str) -> HttpResponse:
        """Show what it is, how far it is, and what it made."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        page = {
            "job": shared_story(job),
            "owner": job.organization.name,
            "areas": [self.area(job, area) for area in job.areas.all()],
        }
        return render(request, "jobs/shared_job.html", page)

    def area(self, job: GenerationJob, area: GenerationArea) -> dict[str, Any]:
        """Return what is shown of one area."""
        place = [job.public_id, area.position]
        url = reverse("shared_jobs:area_result", args=place) if selectors.has_result(area) else ""
        return {**shared_area(area), "result_url": url}


class SharedResult(PersonPage):
    """What the job made of one area."""

    def get(self, request: HttpRequest, job_id: str, position: int) -> HttpResponseBase:
        """Return the picture."""
        job = selectors.shared_job(self.user, GenerationJob.read_id(job_id))
        return handed_out(selectors.result_of(selectors.area_of(job, position)))
