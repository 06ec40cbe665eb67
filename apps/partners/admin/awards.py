"""Staff pages of awards: how each stands, and its revocation."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.core import scope
from apps.partners import selectors
from apps.partners.admin.base import AskingAdmin
from apps.partners.admin.forms import ReasonForm
from apps.partners.models import PartnerCredit
from apps.partners.services import settling


@admin.register(PartnerCredit)
class PartnerCreditAdmin(AskingAdmin[PartnerCredit]):
    """Every award; the ledger's movements have its reference."""

    list_display = [
        *("created_at", "partner", "member", "credits", "source", "campaign"),
        *("claimed_at", "expires_at", "revoked_at", "settled_at", "mail_attempts", "sent_at"),
    ]
    list_filter = ["source", ("claimed_at", admin.EmptyFieldListFilter), "revoked_at"]
    search_fields = ["member__email", "partner__name", "organization__slug", "reference"]
    search_help_text = "Member, programme, organization or reference"
    list_select_related = ["partner", "member", "campaign"]
    readonly_fields = ["standing"]
    ordering = ["-created_at", "-id"]
    csv_columns = [
        *("public_id", "created_at", "partner.public_id", "partner.name", "member.email"),
        *("credits", "source", "campaign.name", "note", "reference", "claimed_at"),
        *("expires_at", "revoked_at", "settled_at", "sent_at"),
    ]
    actions_detail = ["revoke"]

    @admin.display(description="How it stands")
    def standing(self, award: PartnerCredit) -> str:
        """Say what became of it, by its lots."""
        now = standing_of(award)
        return (
            f"{now.status.label}: {now.left} left, {now.used} used, {now.returned} returned, "
            f"{now.lapsed} lapsed"
        )

    def has_revoke_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those revoke who may change awards in Django's own permissions."""
        return request.user.has_perm("partners.change_partnercredit")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Revoke", url_path="revoke", icon="undo", permissions=["revoke"]
    )
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take back what is not used, for a reason."""
        row = self.row_of(request, object_id)
        left = standing_of(row).left
        returns = "return to the pool" if row.terms.unused == "return" else "lapse"

        def do(form: ReasonForm) -> str:
            taken = settling.revoke(award=row, reason=form.cleaned_data["reason"])
            return f"{taken.credits} credits are taken back."

        return self.ask_and_do(
            request,
            row=row,
            form=ReasonForm(request.POST or None),
            frame={
                "title": f"Revoke {row}",
                "text": f"{left} credits {returns}. What was used stays used.",
                "button": "Revoke",
            },
            do=do,
            may=self.has_revoke_permission(request),
        )


def standing_of(award: PartnerCredit) -> selectors.AwardStanding:
    """Return how an award stands now, which is another moment in a sandbox."""
    with scope.within(award.organization.pk, award.organization.clock_at):
        return selectors.standing_of(award)
