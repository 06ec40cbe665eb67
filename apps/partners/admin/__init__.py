"""Staff pages of partners."""

from apps.partners.admin.applications import ApplicationAdmin
from apps.partners.admin.asking import AwardRuleAdmin, CampaignAdmin, CreditRequestAdmin
from apps.partners.admin.awards import PartnerCreditAdmin
from apps.partners.admin.members import MemberGroupAdmin, PartnerMemberAdmin
from apps.partners.admin.programmes import PartnerAdmin, PartnerTermsAdmin
from apps.partners.admin.uploads import UploadAdmin, UploadRowAdmin

__all__ = [
    "ApplicationAdmin",
    "AwardRuleAdmin",
    "CampaignAdmin",
    "CreditRequestAdmin",
    "MemberGroupAdmin",
    "PartnerAdmin",
    "PartnerCreditAdmin",
    "PartnerMemberAdmin",
    "PartnerTermsAdmin",
    "UploadAdmin",
    "UploadRowAdmin",
]
