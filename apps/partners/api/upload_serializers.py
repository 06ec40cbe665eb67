"""What the API of uploads takes and gives."""

from typing import Any

from rest_framework import serializers

from apps.partners.models import Upload, UploadRow
from apps.partners.services.uploads.storing import LONGEST_BATCH


class PartnerUploadIn(serializers.Serializer[Any]):
    """A file, and what it is about."""

    file = serializers.FileField(
        allow_empty_file=True,  # refused by its reader, which says what to do
        help_text="CSV in UTF-8, or XLSX: up to 2 MB and 5,000 rows.",
    )
    batch = serializers.CharField(
        max_length=LONGEST_BATCH,
        required=False,
        default="",
        allow_blank=True,
        help_text="Within a batch an address is given credits once. Else it is the file itself.",
    )
    campaign = serializers.CharField(required=False, help_text="`pcm_…`")
    mode = serializers.ChoiceField(
        Upload.Mode.choices, default=Upload.Mode.ALL, help_text="`all` rows or none, or the valid."
    )


class MappingIn(serializers.Serializer[Any]):
    """Which column is what: its place in `columns`, from 0."""

    email = serializers.IntegerField(min_value=0)
    credits = serializers.IntegerField(min_value=0)
    first_name = serializers.IntegerField(min_value=0, required=False)
    last_name = serializers.IntegerField(min_value=0, required=False)
    group = serializers.IntegerField(min_value=0, required=False)


class ConfirmIn(serializers.Serializer[Any]):
    """What is agreed to."""

    credits = serializers.IntegerField(min_value=0, help_text="As the preview says; else 409.")
    mode = serializers.ChoiceField(Upload.Mode.choices, required=False)


class PartnerUploadOut(serializers.ModelSerializer[Upload]):
    """A file of members and credits."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="partner_upload", read_only=True)
    campaign = serializers.CharField(source="campaign.public_id", default=None)
    mapping = serializers.DictField(child=serializers.IntegerField())
    columns = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Upload
        fields = [
            *("id", "object", "filename", "size", "batch", "mode", "campaign"),
            *("columns", "mapping", "status", "row_count", "credits", "done_rows", "problem"),
            *("created_at", "confirmed_at", "ended_at"),
        ]


class UploadProgressOut(PartnerUploadOut):
    """A file of members and credits, with how its rows stand."""

    rows = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many rows stand how, by their status."
    )
    percent = serializers.IntegerField(help_text="Of the rows, how many have ended.")
    pool_available = serializers.IntegerField(help_text="Credits that the pool has now.")

    class Meta(PartnerUploadOut.Meta):
        fields = [*PartnerUploadOut.Meta.fields, "rows", "percent", "pool_available"]


class FaultOut(serializers.Serializer[Any]):
    """What is wrong with one cell, and what to do about it."""

    column = serializers.CharField(help_text="As the file calls it; empty: the whole row.")
    value = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class UploadRowOut(serializers.ModelSerializer[UploadRow]):
    """One row of a file, and what became of it."""

    object = serializers.CharField(default="partner_upload_row", read_only=True)
    number = serializers.IntegerField(help_text="As a spreadsheet counts: the header is 1.")
    cells = serializers.ListField(child=serializers.CharField())
    faults = FaultOut(source="errors", many=True)
    member = serializers.CharField(source="member.public_id", default=None)
    award = serializers.CharField(source="award.public_id", default=None)

    class Meta:
        model = UploadRow
        fields = [
            *("object", "number", "cells", "email", "credits", "status"),
            *("faults", "member", "award"),
        ]


class RowsIn(serializers.Serializer[Any]):
    """Which rows."""

    status = serializers.ChoiceField(UploadRow.Status.choices, required=False)
