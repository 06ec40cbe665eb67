"""The customer's pages of jobs."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core import idempotency, paging
from apps.core.errors import DomainError
from apps.core.files import stored_file
from apps.core.idempotency import Answer
from apps.core.pages import add_refusal
from apps.credits import selectors as credits_selectors
from apps.credits.errors import InsufficientCredits
from apps.jobs import selectors
from apps.jobs.errors import PictureRefused
from apps.jobs.models import BlobUpload, GenerationJob
from apps.jobs.pages.forms import JobForm, first_values
from apps.jobs.pages.lines import job_line, job_story, pause_before_look
from apps.jobs.services import quotes, submission, uploads
from apps.jobs.services.pictures import ACCEPTED
from apps.rbac.pages.base import TenantPage

PAGE_SIZE = 25


class Submit(TenantPage):
    """Submit a job, with its price known before."""

    permission = "jobs.submit"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the form."""
        return self.show(JobForm(initial=first_values(), organization=self.organization))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Submit once, however often it is clicked; show each refusal where it can be mended."""
        form = JobForm(request.POST, request.FILES, organization=self.organization)
        if not form.is_valid():
            return self.show(form, status=422)
        kept: BlobUpload | None = form.cleaned_data["kept"]
        try:
            upload = self.keep_picture(form)
            kept = upload
            return redirect(self.submit_once(form, upload))
        except PictureRefused as error:
            form.add_error("picture", str(error))
            return self.show(form, status=422)
        except InsufficientCredits as error:
            return self.show(form, status=402, kept=kept, insufficient=error.details)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(form, status=error.status, kept=kept)

    def keep_picture(self, form: JobForm) -> BlobUpload:
        """Return the new picture, stored, or the one kept from the last try."""
        if form.cleaned_data["picture"] is None:
            kept: BlobUpload = form.cleaned_data["kept"]
            return kept
        return uploads.store_upload(
            organization=self.organization, user=self.user, file=form.cleaned_data["picture"]
        )

    def submit_once(self, form: JobForm, upload: BlobUpload) -> str:
        """Submit the job for this form's key, and return the address of its page."""
        fields = form.cleaned_data
        text = "\n".join([fields["operation"], fields["style"], bytes(upload.sha256).hex()])
        answer = idempotency.run_once(
            scope=f"{self.organization.public_id}:{self.user.public_id}:page:jobs:submit",
            key=fields["idempotency_key"],
            digest=hashlib.sha256(text.encode()).digest(),
            effect=lambda: self.submit(fields, upload),
        )
        return str(answer.body["location"])

    def submit(self, fields: dict[str, Any], upload: BlobUpload) -> Answer:
        """Submit the job and say where it is."""
        job = submission.submit_job(
            organization=self.organization,
            user=self.user,
            operation=fields["operation"],
            parameters={"style": fields["style"]},
            upload=upload,
        )
        address = reverse("jobs:job", args=[self.organization.slug, job.public_id])
        return Answer(303, {"location": address})

    def show(
        self,
        form: JobForm,
        *,
        status: int = 200,
        kept: BlobUpload | None = None,
        insufficient: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form with what it costs and whatever was wrong with it."""
        operation = form["operation"].value() or "image.restyle"
        page = {
            "form": form,
            "kept": kept,
            "operations": [
                {
                    "code": one.runner.operation,
                    "name": one.runner.name,
                    "description": one.runner.description,
                    "cost": one.cost,
                    "unit": one.unit,
                }
                for one in form.operations
            ],
            "styles": list(form.styles.values()),
            "quote": quote_for(self, operation),
            "accepted": ACCEPTED,
            "insufficient": insufficient,
        }
        return render(self.request, "jobs/submit.html", page, status=status)


class Quote(TenantPage):
    """The price of what is chosen, as a part of the form."""

    permission = "jobs.submit"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what the chosen operation costs now."""
        quote = quote_for(self, request.GET.get("operation", ""))
        return render(request, "jobs/_quote.html", {"quote": quote})


class Jobs(TenantPage):
    """The organization's jobs, newest first."""

    permission = "jobs.view"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show one page of jobs."""
        jobs = selectors.jobs_of(self.organization).order_by("-id")
        before = GenerationJob.read_id(request.GET.get("before", ""))
        if before:
            jobs = jobs.filter(id__lt=before)  # ids are in the order of their making
        shown, end = paging.page_of(jobs, size=PAGE_SIZE)
        here = reverse("jobs:list", args=[slug])
        page = {
            "jobs": [job_line(job, self.organization) for job in shown],
            "next_url": f"{here}?before={end.public_id}" if end else None,
            "first_url": here if before else None,
            "can_submit": self.user.has_perm("jobs.submit", self.organization),
        }
        return render(request, "jobs/list.html", page)


class JobPage(TenantPage):
    """One job, as far as it is."""

    permission = "jobs.view"
    template = "jobs/job.html"

    def get(self, request: HttpRequest, slug: str, job_id: str) -> HttpResponse:
        """Show the job, and say when to look again."""
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id))
        number = request.GET.get("look", "0")
        look = int(number[:4]) if number.isdecimal() else 0
        references = [job.charge_reference, job.refund_reference]
        found = credits_selectors.transaction_ids(job.wallet, references)
        page = {
            "job": job_story(job, self.organization, found),
            "poll_url": f"{reverse('jobs:status', args=[slug, job_id])}?look={look + 1}",
            "poll_after": pause_before_look(look, job),
            "can_cancel": self.user.has_perm("jobs.cancel", self.organization),
            "can_share": self.user.has_perm("shares.manage", self.organization),
        }
        return render(request, self.template, page)


class JobStatus(JobPage):
    """The part of a job's page that changes while it runs."""

    template = "jobs/_status.html"


class CancelJob(TenantPage):
    """The end of a job that has not begun."""

    permission = "jobs.cancel"

    def post(self, request: HttpRequest, slug: str, job_id: str) -> HttpResponse:
        """Cancel the job and give its credits back."""
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id))
        submission.cancel_job(job=job)
        messages.success(request, f"The job was cancelled, and {job.cost} credits came back.")
        return redirect("jobs:job", slug, job_id)


class JobResult(TenantPage):
    """What a job made."""

    permission = "jobs.view"

    def get(self, request: HttpRequest, slug: str, job_id: str) -> HttpResponseBase:
        """Return the picture."""
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id))
        return stored_file(**selectors.result_of(job))


class JobOriginal(TenantPage):
    """What a job works on."""

    permission = "jobs.view"

    def get(self, request: HttpRequest, slug: str, job_id: str) -> HttpResponseBase:
        """Return the picture."""
        job = selectors.job_of(self.organization, GenerationJob.read_id(job_id))
        return stored_file(**selectors.original_of(job))


def quote_for(page: TenantPage, operation: str) -> quotes.Quote | None:
    """Return what the operation costs, or None if there is no such thing to buy."""
    try:
        return quotes.quote_job(organization=page.organization, operation=operation)
    except DomainError:
        return None
