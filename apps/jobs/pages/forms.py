"""The form that submits a job."""

from typing import Any

from django import forms

from apps.core import ids
from apps.jobs import selectors
from apps.jobs.errors import UploadNotFound
from apps.jobs.models import BlobUpload
from apps.tenants.models import Organization


class JobForm(forms.Form):
    """A picture, what to do with it, and a key by which a second click is known."""

    picture = forms.FileField(
        required=False, widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp"})
    )
    operation = forms.ChoiceField(error_messages={"invalid_choice": "Choose an operation."})
    style = forms.ChoiceField(error_messages={"invalid_choice": "Choose a style."})
    upload_id = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    idempotency_key = forms.RegexField(r"^[\x21-\x7e]{1,255}$", widget=forms.HiddenInput)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.operations = selectors.operations()
        self.styles = {
            style.code: style for operation in self.operations for style in operation.runner.styles
        }
        operation_field, style_field = self.fields["operation"], self.fields["style"]
        assert isinstance(operation_field, forms.ChoiceField)
        assert isinstance(style_field, forms.ChoiceField)
        operation_field.choices = [(o.runner.operation, o.runner.name) for o in self.operations]
        style_field.choices = [(style.code, style.name) for style in self.styles.values()]

    def clean(self) -> dict[str, Any]:
        """Ask for a picture: a new one, or the one that was kept from the last try."""
        fields = super().clean() or self.cleaned_data
        fields["kept"] = self.kept_upload()
        if not fields.get("picture") and not fields["kept"] and "picture" not in self.errors:
            self.add_error("picture", "Choose a picture.")
        return fields

    def kept_upload(self) -> BlobUpload | None:
        """Return the picture of the last try, if it can still be used."""
        try:
            return selectors.usable_upload(self.organization, self.data.get("upload_id", ""))
        except UploadNotFound:
            return None


def first_values() -> dict[str, str]:
    """Return what a fresh form begins with."""
    return {"idempotency_key": str(ids.new_id()), "operation": "image.restyle", "style": "dusk"}
