"""Staff pages of shares: how readings were divided, and what was posted for each part."""

from decimal import Decimal

from django.contrib import admin

from apps.capacity.models import GenerationShare
from apps.capacity.selectors.amounts import to_kwh
from apps.credits.admin.base import LedgerAdmin


@admin.register(GenerationShare)
class GenerationShareAdmin(LedgerAdmin[GenerationShare]):
    """Shares of every organization: who had which part of a reading, and its credits."""

    list_display = [
        *("reading", "organization", "allocation", "percent", "energy", "credits"),
        *("posted_at", "reference"),
    ]
    list_filter = ["reading__project", ("posted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["organization", "reading__project", "allocation__block"]
    search_fields = ["organization__name"]
    search_help_text = "Organization, gsh_…, gen_…, alc_… or org_…, or a reference exactly"
    ids_searched = {
        "gsh": "pk",
        "gen": "reading",
        "alc": "allocation",
        "org": "organization",
    }
    texts_searched = ["reference"]
    csv_columns = [
        *("public_id", "reading.public_id", "reading.project.code"),
        *("reading.starts_on", "reading.ends_on", "organization.slug"),
        *("allocation.public_id", "allocation.block.serial", "percent", "energy_wh"),
        *("earned", "credits", "reference", "posted_at"),
    ]

    @admin.display(description="energy in kWh", ordering="energy_wh")
    def energy(self, share: GenerationShare) -> Decimal:
        """Show it in kWh, to the Wh."""
        return to_kwh(share.energy_wh)
