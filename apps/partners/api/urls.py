"""Addresses of the programme's API, below /api/v1/."""

from django.urls import path

from apps.partners.api import (
    asking,
    awards,
    campaigns,
    claiming,
    dashboard,
    groups,
    member_actions,
    members,
    open_programmes,
    own,
    programmes,
    rules,
    statements,
    uploads,
)

app_name = "partners"
urlpatterns = [
    path("partner", programmes.Programme.as_view(), name="programme"),
    path("partner/dashboard", dashboard.Dashboard.as_view(), name="dashboard"),
    path("partner/dashboard/members", dashboard.MemberNumbers.as_view(), name="member_numbers"),
    path(
        "partner/dashboard/members.csv",
        dashboard.MemberNumbersCsv.as_view(),
        name="member_numbers_export",
    ),
    path("partner/statements", statements.Statements.as_view(), name="statements"),
    path(
        "partner/statements/<str:member_id>",
        statements.MemberStatement.as_view(),
        name="member_statement",
    ),
    path("partner/terms", programmes.Terms.as_view(), name="terms"),
    path("partner/applications", programmes.Applications.as_view(), name="applications"),
    path(
        "partner/applications/<str:application_id>",
        programmes.Application.as_view(),
        name="application",
    ),
    path(
        "partner/applications/<str:application_id>/withdraw",
        programmes.WithdrawnApplication.as_view(),
        name="withdraw_application",
    ),
    path("partner/groups", groups.Groups.as_view(), name="groups"),
    path("partner/groups/<str:group_id>", groups.Group.as_view(), name="group"),
    path("partner/members", members.Members.as_view(), name="members"),
    path("partner/members.csv", members.MembersCsv.as_view(), name="members_export"),
    path("partner/members/remind", members.Reminders.as_view(), name="remind_members"),
    path("partner/members/<str:member_id>", members.Member.as_view(), name="member"),
    path(
        "partner/members/<str:member_id>/remind",
        member_actions.Reminder.as_view(),
        name="remind_member",
    ),
    path(
        "partner/members/<str:member_id>/resend",
        member_actions.ResentLink.as_view(),
        name="resend_member",
    ),
    path(
        "partner/members/<str:member_id>/suspension",
        member_actions.Suspension.as_view(),
        name="suspension",
    ),
    path("partner/claim", claiming.Claim.as_view(), name="claim"),
    path("partner/assign-credits", awards.AssignCredits.as_view(), name="assign_credits"),
    path("partner/awards", awards.Awards.as_view(), name="awards"),
    path("partner/awards.csv", awards.AwardsCsv.as_view(), name="awards_export"),
    path("partner/awards/<str:award_id>", awards.Award.as_view(), name="award"),
    path("partner/awards/<str:award_id>/revoke", awards.RevokeAward.as_view(), name="revoke_award"),
    path("partner/awards/<str:award_id>/extend", awards.ExtendAward.as_view(), name="extend_award"),
    path("partner/requests", asking.Requests.as_view(), name="requests"),
    path("partner/requests/<str:request_id>", asking.OneRequest.as_view(), name="request"),
    path(
        "partner/requests/<str:request_id>/approve",
        asking.Approve.as_view(),
        name="request_approve",
    ),
    path(
        "partner/requests/<str:request_id>/decline",
        asking.Decline.as_view(),
        name="request_decline",
    ),
    path("partner/rules", rules.Rules.as_view(), name="rules"),
    path("partner/rules/<str:rule_id>", rules.OneRule.as_view(), name="rule"),
    path("partner/campaigns", campaigns.Campaigns.as_view(), name="campaigns"),
    path("partner/campaigns/<str:campaign_id>", campaigns.OneCampaign.as_view(), name="campaign"),
    path(
        "partner/campaigns/<str:campaign_id>/end",
        campaigns.EndCampaign.as_view(),
        name="campaign_end",
    ),
    path(
        "partner/campaigns/<str:campaign_id>/report",
        campaigns.CampaignReport.as_view(),
        name="campaign_report",
    ),
    path(
        "partner/campaigns/<str:campaign_id>/report.csv",
        campaigns.CampaignReportCsv.as_view(),
        name="campaign_report_export",
    ),
    path("my-credits", own.OwnCredits.as_view(), name="own_credits"),
    path(
        "my-credits/transactions.csv",
        own.OwnTransactionsCsv.as_view(),
        name="own_transactions_export",
    ),
    path("my-credits/requests", own.OwnRequests.as_view(), name="own_requests"),
    path(
        "my-credits/requests/<str:request_id>/withdraw",
        own.WithdrawRequest.as_view(),
        name="own_request_withdraw",
    ),
    path("programmes", open_programmes.OpenProgrammes.as_view(), name="open_programmes"),
    path(
        "programmes/<str:rule_id>/join",
        open_programmes.JoinProgramme.as_view(),
        name="open_programme_join",
    ),
    path("partner/uploads", uploads.Uploads.as_view(), name="uploads"),
    path("partner/uploads/<str:partner_upload_id>", uploads.OneUpload.as_view(), name="upload"),
    path(
        "partner/uploads/<str:partner_upload_id>/mapping",
        uploads.Mapping.as_view(),
        name="map_upload",
    ),
    path(
        "partner/uploads/<str:partner_upload_id>/preview",
        uploads.Preview.as_view(),
        name="preview_upload",
    ),
    path(
        "partner/uploads/<str:partner_upload_id>/confirm",
        uploads.Confirmation.as_view(),
        name="confirm_upload",
    ),
    path(
        "partner/uploads/<str:partner_upload_id>/rows", uploads.Rows.as_view(), name="upload_rows"
    ),
    path(
        "partner/uploads/<str:partner_upload_id>/result.csv",
        uploads.Result.as_view(),
        name="upload_result",
    ),
    path(
        "partner/uploads/<str:partner_upload_id>/errors.csv",
        uploads.Errors.as_view(),
        name="upload_errors",
    ),
]
