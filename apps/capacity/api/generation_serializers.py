"""Shapes of generation. Energy is in Wh, percent as text with three digits."""

from typing import Any

from rest_framework import serializers

from apps.capacity.models import GenerationReading, GenerationShare


class ReadingOut(serializers.ModelSerializer[GenerationReading]):
    """What a project generated from one day to another, both in it."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="reading", read_only=True)
    project = serializers.CharField(source="project.public_id")
    corrects = serializers.CharField(
        source="correction_of.public_id", default=None, allow_null=True
    )
    corrected_by = serializers.CharField(
        source="corrected_by.public_id", default=None, allow_null=True
    )
    banked_wh = serializers.IntegerField(
        allow_null=True, help_text="Nobody's part; null: it is not divided yet."
    )
    banked_percent = serializers.DecimalField(6, 3, allow_null=True)
    posted_at = serializers.DateTimeField(
        allow_null=True, help_text="When all of its credits were posted."
    )

    class Meta:
        model = GenerationReading
        fields = [
            "id",
            "object",
            "project",
            "starts_on",
            "ends_on",
            "energy_wh",
            "banked_wh",
            "banked_percent",
            "corrects",
            "corrected_by",
            "source",
            "shared_at",
            "posted_at",
            "created_at",
        ]


class StaffReadingOut(ReadingOut):
    """What a project generated, with what staff wrote beside it: that is for them alone."""

    class Meta(ReadingOut.Meta):
        fields = [*ReadingOut.Meta.fields, "note"]


class ReadingIn(serializers.Serializer[Any]):
    """What was read, or with `corrects` what is right."""

    project = serializers.CharField(max_length=50, help_text="Its id (prj_…) or its code.")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day that is in it.")
    energy_wh = serializers.IntegerField(min_value=0)
    corrects = serializers.CharField(
        max_length=40,
        required=False,
        help_text="The reading (gen_…) of the same project and days that is wrong.",
    )
    note = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="For staff. Of a correction it is needed, and says why.",
    )


class ReadingFilterIn(serializers.Serializer[Any]):
    """Which readings to list."""

    project = serializers.CharField(max_length=50, required=False, help_text="Its id or code.")


class GenerationOut(serializers.ModelSerializer[GenerationReading]):
    """What an organization has of what a project generated from one day to another."""

    object = serializers.CharField(default="generation", read_only=True)
    project = serializers.CharField(source="project.public_id")
    project_name = serializers.CharField(source="project.name")
    reading = serializers.CharField(source="public_id", help_text="The newest of its corrections.")
    energy_wh = serializers.IntegerField(source="own_wh")
    percent = serializers.DecimalField(6, 3, source="own_percent", help_text="Of the project.")
    credits = serializers.IntegerField(
        source="own_credits", help_text="Posted for these days, corrections included."
    )
    is_posted = serializers.SerializerMethodField()

    class Meta:
        model = GenerationReading
        fields = [
            "object",
            "project",
            "project_name",
            "reading",
            "starts_on",
            "ends_on",
            "energy_wh",
            "percent",
            "credits",
            "is_posted",
        ]

    def get_is_posted(self, reading: Any) -> bool:
        """Return whether all that is due for it has been posted."""
        return not reading.own_waiting


class GenerationShareOut(serializers.ModelSerializer[GenerationShare]):
    """What an allocation of the organization has of a reading."""

    id = serializers.CharField(source="public_id")
    object = serializers.CharField(default="generation_share", read_only=True)
    reading = serializers.CharField(source="reading.public_id")
    allocation = serializers.CharField(source="allocation.public_id")
    serial = serializers.CharField(source="allocation.block.serial")
    earned = serializers.DecimalField(
        36, 9, help_text="Credits by the rates of the days; what is beyond whole ones counts next."
    )
    credits = serializers.IntegerField(help_text="Of a correction, the difference to before.")

    class Meta:
        model = GenerationShare
        fields = [
            "id",
            "object",
            "reading",
            "allocation",
            "serial",
            "percent",
            "energy_wh",
            "earned",
            "credits",
            "posted_at",
            "created_at",
        ]


class ShareFilterIn(serializers.Serializer[Any]):
    """Which shares to list."""

    reading = serializers.CharField(max_length=40, required=False, help_text="gen_…")
