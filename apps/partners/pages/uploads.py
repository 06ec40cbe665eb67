"""The pages of files by which a partner hands credits on: upload, look, confirm, and result."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from apps.core import paging
from apps.core.errors import DomainError, NotFound
from apps.core.exports import stream_csv
from apps.core.pages import add_refusal, number_of_look
from apps.partners.errors.uploads import UploadChanged
from apps.partners.models import Upload, UploadRow
from apps.partners.pages import tables
from apps.partners.pages.base import ProgrammePage
from apps.partners.pages.upload_forms import ConfirmForm, MappingForm, UploadForm
from apps.partners.selectors import uploads as selectors
from apps.partners.services.uploads import confirming, storing

FAULTY = selectors.WITH_FAULTS
LOOK_AGAIN = (1, 1, 2, 3, 5)  # seconds until the page asks again; then the last


class Uploads(ProgrammePage):
    """The uploads, newest first, and the form for another."""

    tab = "uploads"

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Show one page of them, or all as CSV."""
        if self.wants_file:
            rows = selectors.uploads_of(self.organization)
            return self.send("uploads", tables.UPLOADS, paging.every(rows))
        initial = {"batch": request.GET.get("batch", "")}
        return self.draw(UploadForm(partner=self.partner, initial=initial))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Read a file and lead to what it would do."""
        form = UploadForm(request.POST, request.FILES, partner=self.partner)
        if not form.is_valid():
            return self.draw(form, status=422)
        chosen = form.cleaned_data
        try:
            upload = storing.store_upload(
                partner=self.partner,
                data=chosen["file"].read(),
                filename=chosen["file"].name,
                batch=chosen["batch"],
                campaign=chosen.get("campaign"),
                by=self.user,
            )
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(form, status=error.status)
        return redirect("partners:upload", slug, upload.public_id)

    def draw(self, form: UploadForm, status: int = 200) -> HttpResponse:
        """Draw the page."""
        here = reverse("partners:uploads", args=[self.organization.slug])
        shown, links = self.listed(selectors.uploads_of(self.organization), here)
        return self.show("partners/uploads.html", {"uploads": shown, "form": form, **links}, status)


class Template(ProgrammePage):
    """The file to begin with."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Return it: a row that says its version, the header, and an example."""
        version, header, example = selectors.TEMPLATE
        return stream_csv(
            filename="members-and-credits.csv", columns=version, rows=[header, example]
        )


class UploadPage(ProgrammePage):
    """One upload, as far as it is."""

    tab = "uploads"
    template = "partners/upload.html"

    def get(self, request: HttpRequest, slug: str, partner_upload_id: str) -> HttpResponseBase:
        """Show its columns, its preview, its progress or its result."""
        return self.draw(self.upload(partner_upload_id))

    def upload(self, partner_upload_id: str) -> Upload:
        """
        Return the organization's upload with this id.

        :raises NotFound: if there is none.
        """
        row_id = Upload.read_id(partner_upload_id)
        rows = selectors.uploads_of(self.organization)
        upload = rows.filter(pk=row_id).first() if row_id else None
        if upload is None:
            raise NotFound
        return upload

    def draw(
        self,
        upload: Upload,
        *,
        mapping: MappingForm | None = None,
        confirm: ConfirmForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """Draw the page, with a form that was refused or a fresh one."""
        progress = selectors.progress_of(upload)
        look = number_of_look(self.request)
        poll = reverse("partners:upload_status", args=[self.organization.slug, upload.public_id])
        waits = upload.status == Upload.Status.CONFIRMED
        pool = selectors.pool_left(upload)
        rows = selectors.rows_shown(upload)
        page = {
            "upload": upload,
            "progress": progress,
            "to_do": progress.rows(*selectors.TO_DO),
            "rows": [row_line(row) for row in rows],
            "more_wrong": max(0, progress.faulty - sum(row.status in FAULTY for row in rows)),
            "pool": pool,
            "pool_after": pool - upload.credits,
            "mapping_form": mapping or MappingForm(upload=upload),
            "confirm_form": confirm or ConfirmForm(initial=self.proposed(upload, progress)),
            "is_open": upload.status in storing.OPEN,
            "poll_url": f"{poll}?look={look + 1}",
            "poll_after": LOOK_AGAIN[min(look, len(LOOK_AGAIN) - 1)] if waits else None,
        }
        return self.show(self.template, page, status)

    def proposed(self, upload: Upload, progress: selectors.Progress) -> dict[str, Any]:
        """Return what the form of confirming begins with."""
        mode = Upload.Mode.VALID if progress.faulty else Upload.Mode(upload.mode)
        return {"credits": upload.credits, "mode": mode}


class UploadStatus(UploadPage):
    """The part of an upload's page that changes while it is carried out."""

    template = "partners/_upload_status.html"


class ChangingPage(UploadPage):
    """What is posted from an upload's page."""

    permission = "partners.manage"
    http_method_names = ["post"]


class MapColumns(ChangingPage):
    """Which column is what."""

    def post(self, request: HttpRequest, slug: str, partner_upload_id: str) -> HttpResponse:
        """Look at every row by these columns."""
        upload = self.upload(partner_upload_id)
        form = MappingForm(request.POST, upload=upload)
        if not form.is_valid():
            return self.draw(upload, mapping=form, status=422)
        try:
            storing.map_columns(upload=upload, mapping=form.mapping())
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(upload, mapping=form, status=error.status)
        return redirect("partners:upload", slug, partner_upload_id)


class Confirm(ChangingPage):
    """That what the preview says is carried out."""

    confirms_person = True

    def post(self, request: HttpRequest, slug: str, partner_upload_id: str) -> HttpResponse:
        """Let a worker hand on what was seen, once; show the preview anew if it has changed."""
        upload, form = self.upload(partner_upload_id), ConfirmForm(request.POST)
        if not form.is_valid():
            return self.draw(upload, confirm=form, status=422)
        try:
            confirming.confirm_upload(
                upload=upload,
                mode=Upload.Mode(form.cleaned_data["mode"]),
                credits=form.cleaned_data["credits"],
                by=self.user,
            )
        except UploadChanged as error:
            upload = storing.refresh_preview(upload=upload)
            messages.warning(request, str(error))
            return self.draw(upload, status=error.status)
        except DomainError as error:
            add_refusal(form, error)
            return self.draw(upload, confirm=form, status=error.status)
        return redirect("partners:upload", slug, partner_upload_id)


class LookAgain(ChangingPage):
    """The preview as it is now."""

    def post(self, request: HttpRequest, slug: str, partner_upload_id: str) -> HttpResponse:
        """Look at every row again."""
        storing.refresh_preview(upload=self.upload(partner_upload_id))
        return redirect("partners:upload", slug, partner_upload_id)


class Discard(ChangingPage):
    """The end of an upload that was not confirmed."""

    def post(self, request: HttpRequest, slug: str, partner_upload_id: str) -> HttpResponse:
        """Discard it with its rows."""
        upload = storing.discard_upload(upload=self.upload(partner_upload_id))
        messages.success(request, f"{upload.filename or 'The upload'} was discarded.")
        return redirect("partners:uploads", slug)


class Result(UploadPage):
    """What became of each row, as a file."""

    def get(self, request: HttpRequest, slug: str, partner_upload_id: str) -> HttpResponseBase:
        """Return it as CSV."""
        file = selectors.result_of(self.upload(partner_upload_id))
        return stream_csv(**vars(file))


class Errors(UploadPage):
    """The rows that are wrong, as a file that can be mended and uploaded again."""

    def get(self, request: HttpRequest, slug: str, partner_upload_id: str) -> HttpResponseBase:
        """Return it as CSV."""
        file = selectors.errors_of(self.upload(partner_upload_id))
        return stream_csv(**vars(file))


def row_line(row: UploadRow) -> dict[str, Any]:
    """Return one row as the page shows it."""
    return {
        "number": row.number,
        "email": row.email or next(iter(row.cells), ""),
        "credits": row.credits,
        "status": row.status,
        "faults": row.errors,
    }
