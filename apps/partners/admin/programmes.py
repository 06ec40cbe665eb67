"""Staff pages of programmes: make one, change its terms, suspend it and lift that."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.core.admin import ExportingAdmin
from apps.partners import selectors
from apps.partners.admin.base import AskingAdmin
from apps.partners.admin.forms import ChangeTermsForm, NewPartnerForm, ReasonForm, as_initial
from apps.partners.models import Partner, PartnerTerms
from apps.partners.services import programmes
from apps.rbac.admin.base import staff_of


@admin.register(Partner)
class PartnerAdmin(AskingAdmin[Partner]):
    """Every programme; its numbers are on the customer's own pages."""

    list_display = ["name", "organization", "status", "created_at", "updated_at"]
    list_filter = ["status"]
    search_fields = ["name", "organization__name", "organization__slug"]
    search_help_text = "Programme or organization"
    list_select_related = ["organization"]
    ordering = ["-created_at", "-id"]
    actions_list = ["begin", "export"]
    csv_columns = ["public_id", "created_at", "organization.slug", "name", "status"]
    actions_detail = ["change_terms", "suspend", "lift"]

    def has_begin_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those begin programmes who may add them in Django's own permissions."""
        return request.user.has_perm("partners.add_partner")

    def has_manage_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those change programmes who may in Django's own permissions."""
        return request.user.has_perm("partners.change_partner")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Begin a programme", url_path="begin", icon="add", permissions=["begin"]
    )
    def begin(self, request: HttpRequest) -> HttpResponse:
        """Make an organization a partner that has not applied."""

        def do(form: NewPartnerForm) -> str:
            made = programmes.make_partner(
                organization=form.cleaned_data["organization"],
                name=form.cleaned_data["name"],
                terms=form.terms(),
                by=staff_of(request),
                reason=form.cleaned_data["reason"],
            )
            return f"{made.name} has begun."

        text = "The organization's main wallet becomes the pool of its programme."
        return self.ask_and_do(
            request,
            row=None,
            form=NewPartnerForm(request.POST or None),
            frame={"title": "Begin a programme", "text": text, "button": "Begin"},
            do=do,
            may=self.has_begin_permission(request),
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Change the terms", url_path="terms", icon="edit", permissions=["manage"]
    )
    def change_terms(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Hand credits on by other terms from now on."""
        row = self.row_of(request, object_id)

        def do(form: ChangeTermsForm) -> str:
            changed = programmes.change_terms(
                partner=row,
                terms=form.terms(),
                by=staff_of(request),
                reason=form.cleaned_data["reason"],
            )
            return f"Version {changed.number} of the terms is in force."

        initial = as_initial(selectors.terms_of(row))
        return self.ask_and_do(
            request,
            row=row,
            form=ChangeTermsForm(request.POST or None, initial=initial),
            frame={
                "title": f"Change the terms of {row.name}",
                "text": "What was awarded keeps the terms that it was awarded by.",
                "button": "Change the terms",
            },
            do=do,
            may=self.has_manage_permission(request),
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Suspend", url_path="suspend", icon="pause", permissions=["manage"]
    )
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let nothing more be handed on."""
        text = "Nobody is invited and nothing is awarded until this is lifted. Members keep "
        return self.set_status(
            request, object_id, Partner.Status.SUSPENDED, "Suspend", f"{text}what they have."
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Lift the suspension",
        url_path="lift",
        icon="play_arrow",
        permissions=["manage"],
    )
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let the programme go on."""
        return self.set_status(
            request, object_id, Partner.Status.ACTIVE, "Lift", "The programme goes on at once."
        )

    def set_status(
        self, request: HttpRequest, object_id: str, status: Partner.Status, verb: str, text: str
    ) -> HttpResponse:
        """Suspend a programme or let it go on, for a reason."""
        row = self.row_of(request, object_id)

        def do(form: ReasonForm) -> str:
            reason = form.cleaned_data["reason"]
            programmes.set_status(partner=row, status=status, reason=reason)
            return f"{row.name} is {status.label.lower()}."

        return self.ask_and_do(
            request,
            row=row,
            form=ReasonForm(request.POST or None),
            frame={"title": f"{verb}: {row.name}", "text": text, "button": verb},
            do=do,
            may=self.has_manage_permission(request),
        )


@admin.register(PartnerTerms)
class PartnerTermsAdmin(ExportingAdmin[PartnerTerms]):
    """By which terms programmes hand or handed credits on."""

    list_display = [
        *("partner", "number", "validity_days", "claim_days", "unused", "privacy"),
        *("seat_limit", "created_at", "created_by", "reason"),
    ]
    list_filter = ["unused", "privacy"]
    search_fields = ["partner__name", "organization__name", "organization__slug"]
    search_help_text = "Programme or organization"
    list_select_related = ["partner", "created_by"]
    ordering = ["-created_at", "-id"]
    csv_columns = [
        *("partner.public_id", "partner.name", "number", "validity_days", "claim_days"),
        *("unused", "privacy", "seat_limit", "created_at", "created_by.email", "reason"),
    ]
