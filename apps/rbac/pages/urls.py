"""Addresses of access and settings, below /o/<slug>/."""

from django.urls import path

from apps.rbac.pages import (
    audit,
    banners,
    impersonations,
    inviting,
    members,
    ownership,
    roles,
    rotation,
    security,
    sharing,
    views,
)

app_name = "rbac"
urlpatterns = [
    path("settings/", views.Settings.as_view(), name="organization"),
    path("banners/dismiss/", banners.Dismiss.as_view(), name="dismiss_banner"),
    path("audit/", audit.Audit.as_view(), name="audit"),
    path("audit/support/", impersonations.Impersonations.as_view(), name="impersonations"),
    path("ownership/", ownership.Ownership.as_view(), name="ownership"),
    path("ownership/offer/", ownership.Offer.as_view(), name="ownership_offer"),
    path("ownership/step-down/", ownership.StepDown.as_view(), name="ownership_step_down"),
    path(
        "ownership/<str:transfer_id>/withdraw/",
        ownership.Withdraw.as_view(),
        name="ownership_withdraw",
    ),
    path(
        "ownership/<str:transfer_id>/<str:answer>/",
        ownership.Answer.as_view(),
        name="ownership_answer",
    ),
    path("security/", security.Security.as_view(), name="security"),
    path("keys/", views.Keys.as_view(), name="keys"),
    path("keys/<str:key_id>/rotate/", rotation.RotateKey.as_view(), name="rotate_key"),
    path(
        "keys/<str:key_id>/end-old-secret/", rotation.EndOldSecret.as_view(), name="end_old_secret"
    ),
    path("keys/<str:key_id>/revoke/", views.RevokeKey.as_view(), name="revoke_key"),
    path("shared/", sharing.Shares.as_view(), name="shares"),
    path("shared/<str:share_id>/revoke/", sharing.RevokeShare.as_view(), name="revoke_share"),
    path("roles/", roles.Roles.as_view(), name="roles"),
    path("roles/new/", roles.NewRole.as_view(), name="role_new"),
    path("roles/<str:role_id>/", roles.RolePage.as_view(), name="role"),
    path("members/", members.Members.as_view(), name="members"),
    path("members/leave/", members.Leave.as_view(), name="leave"),
    path("members/invitations/", inviting.Invitations.as_view(), name="invitations"),
    path(
        "members/invitations/<str:invitation_id>/resend/",
        inviting.ResendInvitation.as_view(),
        name="resend_invitation",
    ),
    path(
        "members/invitations/<str:invitation_id>/revoke/",
        inviting.RevokeInvitation.as_view(),
        name="revoke_invitation",
    ),
    path("members/<str:user_id>/role/", members.ChangeRole.as_view(), name="change_role"),
    path("members/<str:user_id>/roles/", roles.MemberRoles.as_view(), name="member_roles"),
    path("members/<str:user_id>/remove/", members.RemoveMember.as_view(), name="remove_member"),
]
