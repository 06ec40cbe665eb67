"""The forms of jobs: what to submit, and which to list."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.utils.datastructures import MultiValueDict

from apps.core import ids
from apps.core.days import end_of, midnight
from apps.jobs import selectors
from apps.jobs.models import BlobUpload, GenerationJob
from apps.jobs.models.jobs import MOST_AREAS
from apps.jobs.pages.options import OPTIONS
from apps.jobs.runners.registry import RUNNERS, STYLED
from apps.jobs.selectors import JobFilters
from apps.jobs.selectors.offers import offers
from apps.jobs.selectors.viewing import Viewer
from apps.jobs.services.submission import AreaRequest
from apps.tenants.models import Organization

DAY_INPUT = {"type": "date"}


class Pictures(forms.FileInput):
    """Chooses several files at once."""

    allow_multiple_selected = True


class PicturesField(forms.FileField):
    """Some files, each of them checked; a list of none if none was chosen."""

    def clean(self, data: Any, initial: Any = None) -> list[File[bytes]]:
        """
        Return the files.

        :raises ValidationError: if one of them is empty or has no name.
        """
        files = data if isinstance(data, list | tuple) else [data]
        checked = (super(PicturesField, self).clean(file, initial) for file in files)
        return [file for file in checked if file]


class JobForm(forms.Form):
    """Pictures, what to do with them, and a key by which a second click is known."""

    picture = PicturesField(
        required=False,
        label="Pictures",
        widget=Pictures({"accept": "image/png,image/jpeg,image/webp", "multiple": True}),
    )
    operation = forms.ChoiceField(error_messages={"invalid_choice": "Choose an operation."})
    style = forms.ChoiceField(required=False, error_messages={"invalid_choice": "Choose a style."})
    idempotency_key = forms.RegexField(r"^[\x21-\x7e]{1,255}$", widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, organization: Organization, by: Viewer | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.by = by  # whose pictures can be used: those that he sees; None: everybody's
        # Those of workers outside ask for parameters that this form does not have: by API.
        self.operations = [one for one in selectors.operations() if one.schema is None]
        self.styles = {
            version.style.code: version
            for operation in self.operations
            for version in operation.styles
        }
        operation_field, style_field = self.fields["operation"], self.fields["style"]
        assert isinstance(operation_field, forms.ChoiceField)
        assert isinstance(style_field, forms.ChoiceField)
        operation_field.choices = [(o.runner.operation, o.runner.name) for o in self.operations]
        style_field.choices = [(code, one.style.name) for code, one in self.styles.items()]
        self.fields |= {name: make() for own in OPTIONS.values() for name, make in own.items()}

    def clean(self) -> dict[str, Any]:
        """Ask for pictures: new ones, or those that were kept from the last try."""
        fields = super().clean() or self.cleaned_data
        fields["kept"] = self.kept_uploads()
        count = len(fields.get("picture") or ()) + len(fields["kept"])
        if not count and "picture" not in self.errors:
            self.add_error("picture", "Choose a picture.")
        if count > MOST_AREAS:
            self.add_error(
                "picture", f"A job has at most {MOST_AREAS} pictures; these are {count}."
            )
        if not self.errors:
            self._check_options(fields["operation"])
        return fields

    def _check_options(self, operation: str) -> None:
        """Ask the runner what it would refuse, so that the form can say it at the field."""
        if operation in STYLED:
            if not self.cleaned_data["style"]:
                self.add_error("style", "Choose a style.")
            return
        try:
            RUNNERS[operation].check(self.options(operation))
        except ValueError as error:
            name, problem = error.args
            self.add_error(name, problem)

    def options(self, operation: str) -> dict[str, Any]:
        """Return what was chosen for an operation beside its style; what is empty is left out."""
        chosen = {}
        for name in OPTIONS.get(operation, {}):
            try:
                value = self.fields[name].clean(self[name].value())
            except ValidationError:  # said at the field
                continue
            if value not in (None, ""):
                chosen[name] = value
        return chosen

    def kept_uploads(self) -> list[BlobUpload]:
        """Return the pictures of the last try that can still be used."""
        upload_ids = self._all_of("upload_id")[:MOST_AREAS]
        found = selectors.usable_uploads(self.organization, upload_ids, self.by)
        return [found[upload_id] for upload_id in upload_ids if upload_id in found]

    def areas(self, kept: list[BlobUpload]) -> list[AreaRequest]:
        """Return an area for each picture: in its own style, or in that of all."""
        operation = self["operation"].value() or ""
        if operation not in STYLED:
            return [AreaRequest(upload, self.options(operation)) for upload in kept]
        own = dict(zip(self._all_of("upload_id"), self._all_of("area_style"), strict=False))
        common = self["style"].value() or ""
        styles = (own.get(upload.public_id) or common for upload in kept)
        return [
            AreaRequest(upload, {"style": style})
            for upload, style in zip(kept, styles, strict=True)
        ]

    def _all_of(self, name: str) -> list[str]:
        """Return every value that was sent under a name, in order."""
        assert isinstance(self.data, MultiValueDict)
        return self.data.getlist(name)


class JobFilter(forms.Form):
    """Which jobs to show."""

    status = forms.ChoiceField(required=False, choices=[("", "All"), *GenerationJob.Status.choices])
    operation = forms.ChoiceField(required=False)
    from_date = forms.DateField(required=False, label="From", widget=forms.DateInput(DAY_INPUT))
    to_date = forms.DateField(required=False, label="Until", widget=forms.DateInput(DAY_INPUT))
    submitted_by = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        operation = self.fields["operation"]
        assert isinstance(operation, forms.ChoiceField)
        known = ((code, offer.name) for code, offer in offers().items())
        operation.choices = [("", "All"), *known]

    def filters(self) -> JobFilters:
        """Return what is asked for; where something is wrong nothing is, and the form says so."""
        if not self.is_valid():
            return JobFilters()
        chosen = self.cleaned_data
        first, last = chosen["from_date"], chosen["to_date"]
        return JobFilters(
            status=chosen["status"],
            operation=chosen["operation"],
            submitted_by=chosen["submitted_by"],
            created_from=midnight(first) if first else None,
            created_before=end_of(last) if last else None,
        )


def first_values() -> dict[str, str]:
    """Return what a fresh form begins with."""
    return {"idempotency_key": str(ids.new_id()), "operation": "image.restyle", "style": "dusk"}
