"""Staff pages of applications for a programme: approve, or decline with an answer."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from apps.core.admin import badge_of
from apps.partners.admin.base import AskingAdmin
from apps.partners.admin.forms import AnswerForm, ApproveForm
from apps.partners.models import Application
from apps.partners.services import applications
from apps.rbac.admin.base import staff_of


@admin.register(Application)
class ApplicationAdmin(AskingAdmin[Application]):
    """Who wants to become a partner; those that wait come first."""

    list_display = [
        *("created_at", "name", "organization", "expected_members", "status"),
        *("applied_by", "decided_by", "decided_at"),
    ]
    list_filter = ["status"]
    search_fields = ["name", "organization__name", "organization__slug", "applied_by__email"]
    search_help_text = "Programme, organization or applicant"
    list_select_related = ["organization", "applied_by", "decided_by"]
    ordering = ["-created_at", "-id"]
    csv_columns = [
        *("public_id", "created_at", "organization.slug", "name", "expected_members", "status"),
        *("applied_by.email", "decided_by.email", "decided_at", "answer"),
    ]
    actions_detail = ["approve", "decline"]

    def menu_badge(self, request: HttpRequest) -> str:
        """Return how many wait for an answer."""
        return badge_of(Application.objects.filter(status=Application.Status.PENDING))

    def has_decide_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Let those decide who may change applications in Django's own permissions."""
        return request.user.has_perm("partners.change_application")

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Approve", url_path="approve", icon="check", permissions=["decide"]
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the organization its programme."""
        row = self.row_of(request, object_id)

        def do(form: ApproveForm) -> str:
            made = applications.approve(
                application=row,
                terms=form.terms(),
                answer=form.cleaned_data["answer"],
                by=staff_of(request),
            )
            return f"{made.name} has begun. Its applicant gets a mail."

        text = f"{row.organization} asked for {row.name}, about {row.expected_members} members."
        return self.ask_and_do(
            request,
            row=row,
            form=ApproveForm(request.POST or None),
            frame={"title": "Approve", "text": text, "button": "Begin the programme"},
            do=do,
            may=self.has_decide_permission(request),
        )

    @action(  # type: ignore[untyped-decorator]  # of Unfold
        description="Decline", url_path="decline", icon="block", permissions=["decide"]
    )
    def decline(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Refuse, with an answer."""
        row = self.row_of(request, object_id)

        def do(form: AnswerForm) -> str:
            answer = form.cleaned_data["answer"]
            applications.decline(application=row, answer=answer, by=staff_of(request))
            return "Declined. The applicant gets a mail with the answer."

        text = f"{row.organization} asked for {row.name}. It can apply again."
        return self.ask_and_do(
            request,
            row=row,
            form=AnswerForm(request.POST or None),
            frame={"title": "Decline", "text": text, "button": "Decline"},
            do=do,
            may=self.has_decide_permission(request),
        )
