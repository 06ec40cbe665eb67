"""Addresses of the programme's pages, below /o/<slug>/."""

from django.urls import path

from apps.partners.pages import (
    applying,
    asking,
    awards,
    base,
    campaigns,
    groups,
    member_actions,
    members,
    overview,
    own,
    rules,
    statements,
    terms,
    uploads,
)

app_name = "partners"
urlpatterns = [
    path("programme/", base.Programme.as_view(), name="programme"),
    path("programme/application/", applying.Application.as_view(), name="application"),
    path(
        "programme/application/<str:application_id>/withdraw/",
        applying.Withdraw.as_view(),
        name="withdraw_application",
    ),
    path("programme/overview/", overview.Overview.as_view(), name="overview"),
    path("programme/statements/", statements.Statements.as_view(), name="statements"),
    path(
        "programme/statements/<str:member_id>/",
        statements.MemberStatement.as_view(),
        name="member_statement",
    ),
    path("programme/terms/", terms.Terms.as_view(), name="terms"),
    path("programme/groups/", groups.Groups.as_view(), name="groups"),
    path("programme/groups/<str:group_id>/", groups.Group.as_view(), name="group"),
    path(
        "programme/groups/<str:group_id>/remove/", groups.RemoveGroup.as_view(), name="remove_group"
    ),
    path("programme/members/", members.Members.as_view(), name="members"),
    path("programme/members/invite/", members.Invite.as_view(), name="invite_members"),
    path("programme/members/remind/", member_actions.RemindAll.as_view(), name="remind_members"),
    path("programme/members/<str:member_id>/", members.Member.as_view(), name="member"),
    path(
        "programme/members/<str:member_id>/remind/",
        member_actions.Remind.as_view(),
        name="remind_member",
    ),
    path(
        "programme/members/<str:member_id>/resend/",
        member_actions.Resend.as_view(),
        name="resend_member",
    ),
    path(
        "programme/members/<str:member_id>/suspend/",
        member_actions.Suspend.as_view(),
        name="suspend_member",
    ),
    path(
        "programme/members/<str:member_id>/lift/", member_actions.Lift.as_view(), name="lift_member"
    ),
    path(
        "programme/members/<str:member_id>/remove/",
        member_actions.Remove.as_view(),
        name="remove_member",
    ),
    path("programme/awards/", awards.Awards.as_view(), name="awards"),
    path("programme/awards/new/", awards.NewAward.as_view(), name="new_award"),
    path("programme/awards/<str:award_id>/", awards.Award.as_view(), name="award"),
    path("programme/awards/<str:award_id>/extend/", awards.Extend.as_view(), name="extend_award"),
    path("programme/awards/<str:award_id>/revoke/", awards.Revoke.as_view(), name="revoke_award"),
    path("programme/requests/", asking.Requests.as_view(), name="requests"),
    path("programme/requests/<str:request_id>/", asking.OneRequest.as_view(), name="request"),
    path(
        "programme/requests/<str:request_id>/approve/",
        asking.Approve.as_view(),
        name="approve_request",
    ),
    path(
        "programme/requests/<str:request_id>/decline/",
        asking.Decline.as_view(),
        name="decline_request",
    ),
    path("programme/rules/", rules.Rules.as_view(), name="rules"),
    path("programme/rules/<str:rule_id>/", rules.Rule.as_view(), name="rule"),
    path("programme/rules/<str:rule_id>/end/", rules.EndRule.as_view(), name="end_rule"),
    path("programme/campaigns/", campaigns.Campaigns.as_view(), name="campaigns"),
    path(
        "programme/campaigns/<str:campaign_id>/", campaigns.CampaignPage.as_view(), name="campaign"
    ),
    path(
        "programme/campaigns/<str:campaign_id>/end/",
        campaigns.EndCampaign.as_view(),
        name="end_campaign",
    ),
    path("my-credits/", own.MyCredits.as_view(), name="my_credits"),
    path("my-credits/history/", own.History.as_view(), name="my_history"),
    path(
        "my-credits/requests/<str:request_id>/withdraw/",
        own.WithdrawRequest.as_view(),
        name="withdraw_request",
    ),
    path("programme/uploads/", uploads.Uploads.as_view(), name="uploads"),
    path("programme/uploads/template/", uploads.Template.as_view(), name="upload_template"),
    path("programme/uploads/<str:partner_upload_id>/", uploads.UploadPage.as_view(), name="upload"),
    path(
        "programme/uploads/<str:partner_upload_id>/status/",
        uploads.UploadStatus.as_view(),
        name="upload_status",
    ),
    path(
        "programme/uploads/<str:partner_upload_id>/columns/",
        uploads.MapColumns.as_view(),
        name="map_upload",
    ),
    path(
        "programme/uploads/<str:partner_upload_id>/preview/",
        uploads.LookAgain.as_view(),
        name="preview_upload",
    ),
    path(
        "programme/uploads/<str:partner_upload_id>/confirm/",
        uploads.Confirm.as_view(),
        name="confirm_upload",
    ),
    path(
        "programme/uploads/<str:partner_upload_id>/discard/",
        uploads.Discard.as_view(),
        name="discard_upload",
    ),
    path(
        "programme/uploads/<str:partner_upload_id>/result/",
        uploads.Result.as_view(),
        name="upload_result",
    ),
    path(
        "programme/uploads/<str:partner_upload_id>/errors/",
        uploads.Errors.as_view(),
        name="upload_errors",
    ),
]
