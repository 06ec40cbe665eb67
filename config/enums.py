"""What the description of the API calls choices whose fields have one name and other values."""

ENUM_NAMES = {
    "AllocationModeEnum": "apps.capacity.models.reservations.Mode",
    "BudgetActionEnum": "apps.credits.models.Budget.Action",
    "BudgetAlertStatusEnum": "apps.credits.models.BudgetAlert.Status",
    "AnswerStatusEnum": "apps.partners.models.Application.Status",
    "AwardStatusEnum": "apps.partners.models.PartnerCredit.Status",
    "CorrectionActionEnum": "apps.credits.models.Correction.Action",
    "CorrectionReasonEnum": "apps.credits.models.Correction.Reason",
    "CorrectionStatusEnum": "apps.credits.models.Correction.Status",
    "HoldStatusEnum": "apps.credits.models.Hold.Status",
    "JobStatusEnum": "apps.jobs.models.GenerationJob.Status",
    "KeyStatusEnum": "apps.rbac.models.ApiKey.Status",
    "MemberStatusEnum": "apps.partners.models.PartnerMember.Status",
    "ModeEnum": "apps.billing.models.AutoReload.Mode",
    "ReadingSourceEnum": "apps.capacity.models.GenerationReading.Source",
    "UploadModeEnum": "apps.partners.models.Upload.Mode",
    "UploadRowStatusEnum": "apps.partners.models.UploadRow.Status",
    "UploadStatusEnum": "apps.partners.models.Upload.Status",
}
