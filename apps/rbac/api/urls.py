"""Addresses of access, below /api/v1/."""

from django.urls import path

from apps.rbac.api import audit, invitations, members, views

app_name = "rbac"
urlpatterns = [
    path("organization", views.OrganizationView.as_view(), name="organization"),
    path("me", views.Me.as_view(), name="me"),
    path("audit", audit.AuditRows.as_view(), name="audit"),
    path("audit.csv", audit.AuditCsv.as_view(), name="audit_export"),
    path("audit/<str:audit_id>", audit.AuditRow.as_view(), name="audit_row"),
    path("keys", views.Keys.as_view(), name="keys"),
    path("keys/<str:key_id>", views.Key.as_view(), name="key"),
    path("keys/<str:key_id>/revoke", views.RevokedKey.as_view(), name="revoke_key"),
    path("members", members.Members.as_view(), name="members"),
    path("members/leave", members.Leave.as_view(), name="leave"),
    path("members/<str:user_id>", members.Member.as_view(), name="member"),
    path("invitations", invitations.Invitations.as_view(), name="invitations"),
    path("invitations/batch", invitations.InvitationBatch.as_view(), name="invitation_batch"),
    path("invitations/accept", invitations.AcceptedInvitation.as_view(), name="accept_invitation"),
    path("invitations/<str:invitation_id>", invitations.Invitation.as_view(), name="invitation"),
    path(
        "invitations/<str:invitation_id>/resend",
        invitations.ResentInvitation.as_view(),
        name="resend_invitation",
    ),
    path(
        "invitations/<str:invitation_id>/revoke",
        invitations.RevokedInvitation.as_view(),
        name="revoke_invitation",
    ),
]
