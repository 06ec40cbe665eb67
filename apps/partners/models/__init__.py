"""Partners, their members, the credits that they hand on, and the files they hand them on by."""

from apps.partners.models.awards import CreditRequest, PartnerCredit
from apps.partners.models.campaigns import AwardRule, Campaign
from apps.partners.models.members import MemberGroup, PartnerMember
from apps.partners.models.partners import Application, Partner, PartnerTerms
from apps.partners.models.uploads import Upload, UploadRow

__all__ = [
    "Application",
    "AwardRule",
    "Campaign",
    "CreditRequest",
    "MemberGroup",
    "Partner",
    "PartnerCredit",
    "PartnerMember",
    "PartnerTerms",
    "Upload",
    "UploadRow",
]
