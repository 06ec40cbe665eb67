"""Forms by which a file is uploaded, its columns are told apart, and what it does is agreed to."""

from typing import Any

from django import forms

from apps.core.sheets import LARGEST_FILE
from apps.partners.models import Campaign, Partner, Upload
from apps.partners.selectors.campaigns import open_campaigns
from apps.partners.services.sheets import NEEDED, Field
from apps.partners.services.uploads.storing import LONGEST_BATCH

LABELS = {
    Field.EMAIL: "E-mail address",
    Field.CREDITS: "Credits",
    Field.FIRST_NAME: "First name",
    Field.LAST_NAME: "Last name",
    Field.GROUP: "Group",
}


class UploadForm(forms.Form):
    """A file, and what it is about."""

    file = forms.FileField(
        allow_empty_file=True,  # refused by its reader, which says what to do
        help_text="CSV in UTF-8 or XLSX, up to 2 MB and 5,000 members.",
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    batch = forms.CharField(
        required=False,
        max_length=LONGEST_BATCH,
        help_text="May be empty: then the same file never hands on twice. Give a name of your own"
        " to mean the same file again, or the name of an earlier batch to hand on what it lacks.",
    )
    campaign = forms.ModelChoiceField(Campaign.objects.none(), required=False, empty_label="None")

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.fields["campaign"]
        assert isinstance(campaign, forms.ModelChoiceField)
        campaign.queryset = open_campaigns(partner)
        if not campaign.queryset.exists():
            del self.fields["campaign"]

    def clean_file(self) -> Any:
        """Refuse a file that is too long before it is read."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            said = f"The file is larger than {LARGEST_FILE // 1024**2} MB. Divide it into two."
            raise forms.ValidationError(said, "too_large")
        return file


class MappingForm(forms.Form):
    """Which column is what."""

    def __init__(self, *args: Any, upload: Upload, **kwargs: Any) -> None:
        kwargs.setdefault("initial", upload.mapping)
        # It stands beside the form that confirms, which has a field `credits` as well.
        super().__init__(*args, **{"auto_id": "column_%s", **kwargs})
        columns = [
            (place, name or f"Column {place + 1}") for place, name in enumerate(upload.columns)
        ]
        for field, label in LABELS.items():
            self.fields[field.value] = forms.TypedChoiceField(
                choices=[("", "Choose" if field in NEEDED else "None"), *columns],
                coerce=int,
                empty_value=None,
                required=field in NEEDED,
                label=label,
            )

    def mapping(self) -> dict[str, int]:
        """Return the columns that were chosen."""
        return {name: place for name, place in self.cleaned_data.items() if place is not None}


class ConfirmForm(forms.Form):
    """What is agreed to."""

    credits = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    mode = forms.ChoiceField(
        label="If a row cannot be carried out",
        choices=[
            (Upload.Mode.ALL, "Hand on nothing: all rows or none"),
            (Upload.Mode.VALID, "Leave it out: the valid rows only"),
        ],
    )
