"""The pages that submit a job: choose pictures, see the price, confirm."""

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from apps.core import idempotency
from apps.core.errors import DomainError
from apps.core.idempotency import Answer
from apps.core.pages import add_refusal
from apps.credits.errors import InsufficientCredits
from apps.jobs.errors import PictureRefused
from apps.jobs.models import BlobUpload
from apps.jobs.pages.base import JobsPage
from apps.jobs.pages.forms import JobForm, first_values
from apps.jobs.pages.options import OPTIONS
from apps.jobs.runners.registry import STYLED
from apps.jobs.services import quotes, submission, uploads
from apps.jobs.services.pictures import accepted
from apps.jobs.services.submission import AreaRequest


class Submit(JobsPage):
    """Submit a job, with its price known before."""

    permission = "jobs.submit"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show the form."""
        return self.show(
            JobForm(initial=first_values(), organization=self.organization, by=self.by())
        )

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """
        Submit once, however often it is clicked; show each refusal where it can be mended.

        The price of one picture stands beside the form. That of several, any that depends on
        the size of the picture, and any other than was seen is shown with them and confirmed.
        """
        form = JobForm(request.POST, request.FILES, organization=self.organization, by=self.by())
        if not form.is_valid():
            return self.show(form, status=422)
        kept: list[BlobUpload] = form.cleaned_data["kept"]
        try:
            self.keep_pictures(form, kept)
            if self.must_be_seen(form, kept):
                return self.show(form, kept=kept, is_unconfirmed=True)
            return redirect(self.submit_once(form, kept))
        except PictureRefused as error:
            form.add_error("picture", str(error))
            return self.show(form, status=422, kept=kept)
        except InsufficientCredits as error:
            return self.show(form, status=402, kept=kept, insufficient=error.details)
        except DomainError as error:
            add_refusal(form, error)
            return self.show(form, status=error.status, kept=kept)

    def keep_pictures(self, form: JobForm, kept: list[BlobUpload]) -> None:
        """
        Store the pictures that are new, one after the other beside those that are kept.

        :raises PictureRefused: for the first that cannot be used; those before it are kept.
        :raises UploadQuotaReached: for the first that has no room; those before it are kept.
        """
        for picture in form.cleaned_data["picture"]:
            kept.append(
                uploads.store_upload(organization=self.organization, user=self.user, file=picture)
            )

    def must_be_seen(self, form: JobForm, kept: list[BlobUpload]) -> bool:
        """
        Tell whether this costs something else than what stood beside the form.

        :raises DomainError: if such a job would be refused, so that it is said at once.
        """
        quote = quotes.quote_job(
            organization=self.organization,
            user=self.user,
            operation=form.cleaned_data["operation"],
            areas=form.areas(kept),
        )
        if form.cleaned_data["picture"] and (len(kept) > 1 or quote.is_metered):
            return True
        # What jobs/_quote.html sent along; without it nothing was seen.
        return self.request.POST.get("seen_cost") != str(quote.cost)

    def submit_once(self, form: JobForm, kept: list[BlobUpload]) -> str:
        """Submit the job for this form's key, and return the address of its page."""
        fields, areas = form.cleaned_data, form.areas(kept)
        parts = [
            fields["operation"],
            *(
                f"{json.dumps(area.parameters, sort_keys=True)} {bytes(area.upload.sha256).hex()}"
                for area in areas
            ),
        ]
        answer = idempotency.run_once(
            scope=f"{self.organization.public_id}:{self.user.public_id}:page:jobs:submit",
            key=fields["idempotency_key"],
            digest=hashlib.sha256("\n".join(parts).encode()).digest(),
            effect=lambda: self.submit(fields["operation"], areas),
        )
        return str(answer.body["location"])

    def submit(self, operation: str, areas: list[AreaRequest]) -> Answer:
        """Submit the job and say where it is."""
        job = submission.submit_job(
            organization=self.organization, user=self.user, operation=operation, areas=areas
        )
        address = reverse("jobs:job", args=[self.organization.slug, job.public_id])
        return Answer(303, {"location": address})

    def show(
        self,
        form: JobForm,
        *,
        status: int = 200,
        kept: list[BlobUpload] | None = None,
        insufficient: dict[str, Any] | None = None,
        is_unconfirmed: bool = False,
    ) -> HttpResponse:
        """Show the form with what it costs and whatever was wrong with it."""
        operation = form["operation"].value() or "image.restyle"
        areas = form.areas(kept or [])
        page = {
            "form": form,
            "kept": [
                {
                    "public_id": area.upload.public_id,
                    "filename": area.upload.filename or "Picture",
                    "size": f"{area.upload.width:,} × {area.upload.height:,}",
                    "style": area.parameters.get("style", ""),
                }
                for area in areas
            ],
            **self.choices(form),
            **cost_of(self, operation, areas),
            "accepted": accepted(),
            "insufficient": insufficient,
            "is_unconfirmed": is_unconfirmed,
        }
        return render(self.request, "jobs/submit.html", page, status=status)

    def choices(self, form: JobForm) -> dict[str, Any]:
        """Return what can be chosen: operations, their styles, and what else they ask for."""
        return {
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
            "styles": [
                {
                    "code": code,
                    "name": one.style.name,
                    "description": one.style.description,
                    "preview_url": reverse(
                        "jobs:style_preview",
                        args=[self.organization.slug, one.style.operation, code, one.number],
                    ),
                }
                for code, one in form.styles.items()
            ],
            "styled": list(STYLED),
            "options": [
                {"operation": operation, "fields": [form[name] for name in fields]}
                for operation, fields in OPTIONS.items()
            ],
        }


class Quote(JobsPage):
    """The price of what is chosen, as a part of the form."""

    permission = "jobs.submit"

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Show what the chosen operation costs now, for the pictures that are kept."""
        form = JobForm(request.GET, organization=self.organization, by=self.by())
        areas = form.areas(form.kept_uploads())
        cost = cost_of(self, request.GET.get("operation", ""), areas)
        return render(request, "jobs/_quote.html", cost)


def cost_of(page: JobsPage, operation: str, areas: list[AreaRequest]) -> dict[str, Any]:
    """
    Return what the job costs, as far as that can be said.

    There is no quote of what cannot be bought, and of what is metered none without a picture.
    """
    try:
        quote = quotes.quote_job(
            organization=page.organization, user=page.user, operation=operation, areas=areas
        )
    except DomainError:
        return {"quote": None, "needs_picture": False}
    if quote.is_metered and not areas:
        return {"quote": None, "needs_picture": True}
    return {"quote": quote, "needs_picture": False}
