"""Addresses of access, below /api/v1/."""

from django.urls import path

from apps.rbac.api import (
    audit,
    impersonations,
    invitations,
    members,
    organizations,
    ownership,
    roles,
    rotation,
    security,
    sharing,
    staff_config,
    staff_organizations,
    views,
)

app_name = "rbac"
urlpatterns = [
    path("organization", views.OrganizationView.as_view(), name="organization"),
    path("organizations", organizations.Organizations.as_view(), name="organizations"),
    path(
        "organizations/<str:organization>",
        organizations.NamedOrganization.as_view(),
        name="organization_named",
    ),
    path(
        "organizations/<str:organization>/reopen",
        organizations.Reopening.as_view(),
        name="organization_reopen",
    ),
    path(
        "organization/impersonations",
        impersonations.Impersonations.as_view(),
        name="impersonations",
    ),
    path("organization/step-down", ownership.SteppingDown.as_view(), name="step_down"),
    path("organization/transfers", ownership.Transfers.as_view(), name="transfers"),
    path("organization/transfers/<str:transfer_id>", ownership.Transfer.as_view(), name="transfer"),
    path(
        "organization/transfers/<str:transfer_id>/accept",
        ownership.AcceptedTransfer.as_view(),
        name="transfer_accept",
    ),
    path(
        "organization/transfers/<str:transfer_id>/decline",
        ownership.DeclinedTransfer.as_view(),
        name="transfer_decline",
    ),
    path(
        "organization/transfers/<str:transfer_id>/withdraw",
        ownership.WithdrawnTransfer.as_view(),
        name="transfer_withdraw",
    ),
    path("staff/config", staff_config.StaffConfig.as_view(), name="staff_config"),
    path("staff/config/<str:key>", staff_config.StaffSetting.as_view(), name="staff_setting"),
    path(
        "staff/organizations",
        staff_organizations.StaffOrganizations.as_view(),
        name="staff_organizations",
    ),
    path(
        "staff/organizations/<str:organization_id>",
        staff_organizations.StaffOrganization.as_view(),
        name="staff_organization",
    ),
    path(
        "staff/organizations/<str:organization_id>/deactivate",
        staff_organizations.Deactivation.as_view(),
        name="staff_organization_deactivate",
    ),
    path(
        "staff/organizations/<str:organization_id>/activate",
        staff_organizations.Activation.as_view(),
        name="staff_organization_activate",
    ),
    path(
        "staff/organizations/<str:organization_id>/reopen",
        staff_organizations.StaffReopening.as_view(),
        name="staff_organization_reopen",
    ),
    path("organization/security", security.Security.as_view(), name="security"),
    path("me", views.Me.as_view(), name="me"),
    path("audit", audit.AuditRows.as_view(), name="audit"),
    path("audit.csv", audit.AuditCsv.as_view(), name="audit_export"),
    path("audit/<str:audit_id>", audit.AuditRow.as_view(), name="audit_row"),
    path("keys", views.Keys.as_view(), name="keys"),
    path("keys/<str:key_id>", views.Key.as_view(), name="key"),
    path("keys/<str:key_id>/rotate", rotation.RotatedKey.as_view(), name="rotate_key"),
    path(
        "keys/<str:key_id>/end-old-secret",
        rotation.EndedOldSecret.as_view(),
        name="end_old_secret",
    ),
    path("keys/<str:key_id>/revoke", views.RevokedKey.as_view(), name="revoke_key"),
    path("members", members.Members.as_view(), name="members"),
    path("members/leave", members.Leave.as_view(), name="leave"),
    path("members/<str:user_id>", members.Member.as_view(), name="member"),
    path("permissions", roles.Permissions.as_view(), name="permissions"),
    path("roles", roles.Roles.as_view(), name="roles"),
    path("roles/<str:role_id>", roles.RoleView.as_view(), name="role"),
    path("shares", sharing.Shares.as_view(), name="shares"),
    path("shares/<str:share_id>", sharing.ShareView.as_view(), name="share"),
    path("shares/<str:share_id>/revoke", sharing.RevokedShare.as_view(), name="revoke_share"),
    path("shared", sharing.SharedWithMe.as_view(), name="shared"),
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
