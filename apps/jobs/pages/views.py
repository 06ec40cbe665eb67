"""The customer's pages of jobs: the list, one job, its pictures, and what can be done to it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core import paging
from apps.core.exports import stream_csv
from apps.core.files import handed_out, small_picture
from apps.core.pages import number_of_look
from apps.credits import selectors as credits_selectors
from apps.jobs import selectors
from apps.jobs.models import GenerationArea, GenerationJob
from apps.jobs.pages.base import JobsPage
from apps.jobs.pages.forms import JobFilter
from apps.jobs.pages.lines import attempt_lines, job_line, job_story, pause_before_look
from apps.jobs.services import changing

PAGE_SIZE = 25


class Jobs(JobsPage):
    """The organization's jobs, newest first."""

    permission_for_own = "jobs.view_own"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of jobs, or all that fit the filters as CSV."""
        form = JobFilter(request.GET)
        jobs = selectors.matching(selectors.jobs_of(self.organization, self.by()), form.filters())
        if request.GET.get("format") == "csv":
            return stream_csv(
                filename=f"{slug}-jobs.csv",
                columns=selectors.JOB_COLUMNS,
                rows=selectors.job_rows(jobs),
            )
        before = GenerationJob.read_id(request.GET.get("before", ""))
        shown, end = paging.page_of(
            # Ids are in the order of their making.
            (jobs.filter(id__lt=before) if before else jobs).order_by("-id"),
            size=PAGE_SIZE,
        )
        here = reverse("jobs:list", args=[slug])
        chosen = {
            name: value for name, value in request.GET.items() if name in form.fields and value
        }
        page = {
            "jobs": [job_line(job, self.organization) for job in shown],
            "filter_form": form,
            "is_filtered": bool(chosen),
            "reset_url": here,
            "export_url": f"{here}?{urlencode({**chosen, 'format': 'csv'})}",
            "next_url": f"{here}?{urlencode({**chosen, 'before': end.public_id})}" if end else None,
            "first_url": f"{here}?{urlencode(chosen)}" if before else None,
            "can_submit": self.user.has_perm("jobs.submit", self.organization),
        }
        return render(request, "jobs/list.html", page)


class JobPage(JobsPage):
    """One job, as far as it is."""

    permission_for_own = "jobs.view_own"
    template = "jobs/job.html"

    def get(self, request: HttpRequest, slug: str, job_id: str) -> HttpResponse:
        """Show the job, and say when to look again."""
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id), self.by())
        look = number_of_look(request)
        page = {
            "job": job_story(job, self.organization, self.attempts(job)),
            "poll_url": f"{reverse('jobs:status', args=[slug, job_id])}?look={look + 1}",
            "poll_after": pause_before_look(look, job),
            "can_cancel": self.user.has_perm("jobs.cancel", self.organization),
            "can_retry": self.user.has_perm("jobs.submit", self.organization)
            and selectors.can_pay_again(job, self.user),
            "can_share": self.user.has_perm("shares.manage", self.organization),
        }
        return render(request, self.template, page)

    def attempts(self, job: GenerationJob) -> list[dict[str, Any]]:
        """Return what was paid for each try, with where it is in the ledger."""
        attempts = selectors.attempts_of(job)
        references = {
            name for one in attempts for name in (one.charge_reference, one.refund_reference)
        }
        shown = credits_selectors.visible_wallet(self.organization, self.user)
        found = {}
        if shown == job.wallet:  # of another one, he has no page to follow to
            found = credits_selectors.transaction_ids(shown, references - {""})
        return attempt_lines(attempts, self.organization, found)


class JobStatus(JobPage):
    """The part of a job's page that changes while it runs."""

    template = "jobs/_status.html"


class CancelJob(JobsPage):
    """The end of what has not begun."""

    permission = "jobs.cancel"

    def post(self, request: HttpRequest, slug: str, job_id: str) -> HttpResponse:
        """Cancel what waits, and give its credits back."""
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id), self.by())
        before = job.refunded
        job = changing.cancel_job(job=job)
        back = job.refunded - before
        messages.success(request, f"What waited was cancelled, and {back} credits came back.")
        return redirect("jobs:job", slug, job_id)


class RetryJob(JobsPage):
    """Another attempt for what failed."""

    permission = "jobs.submit"

    def post(self, request: HttpRequest, slug: str, job_id: str) -> HttpResponse:
        """Try the failed areas again, and pay for them again."""
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id), self.by())
        before = job.cost
        job = changing.retry_job(job=job, by=self.user)
        messages.success(request, f"What failed is tried again, for {job.cost - before} credits.")
        return redirect("jobs:job", slug, job_id)


class AreaPicture(JobsPage):
    """A picture of one area."""

    permission_for_own = "jobs.view_own"

    def area(self, job_id: str, position: int) -> GenerationArea:
        """
        Return the area that is asked for.

        :raises NotFound: if the organization has no such job, or that no such area.
        """
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id), self.by())
        return selectors.area_of(job, position)


class AreaResult(AreaPicture):
    """What a job made of one picture."""

    def get(self, request: HttpRequest, slug: str, job_id: str, position: int) -> HttpResponseBase:
        """Return the picture."""
        return handed_out(selectors.result_of(self.area(job_id, position)))


class AreaOriginal(AreaPicture):
    """What a job works on."""

    def get(self, request: HttpRequest, slug: str, job_id: str, position: int) -> HttpResponseBase:
        """Return the picture."""
        return handed_out(selectors.original_of(self.area(job_id, position)))


class StylePreview(JobsPage):
    """What a version of a style does to a sample."""

    permission_for_own = "jobs.view_own"

    def get(
        self, request: HttpRequest, slug: str, operation: str, style: str, version: int
    ) -> HttpResponse:
        """Return the picture."""
        return small_picture(selectors.preview_of(operation, style, version))
