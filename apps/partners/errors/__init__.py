"""Refusals of partners."""

from apps.core.errors import DomainError


class NotAPartner(DomainError):
    """The organization has no partner programme."""

    code = "not_a_partner"
    title = "There is no partner programme"
    status = 409
    message = (
        "This organization has no partner programme. Apply for one on the page of the programme."
    )


class ProgrammeStatementTooLong(DomainError):
    """A PDF of so many members would keep a web process too long."""

    code = "programme_statement_too_long"
    title = "The statement is too long for a PDF"
    message = (
        "In this month {members} members had credits, and a PDF holds {largest}. "
        "Take the CSV, or the statement of one member."
    )


class PartnerSuspended(DomainError):
    """Staff have suspended the programme."""

    code = "partner_suspended"
    title = "The partner programme is suspended"
    status = 409
    message = (
        "The programme {name} is suspended: nothing is handed on until staff lift that. "
        "Members keep what they have."
    )


class AlreadyPartner(DomainError):
    """The organization has a programme already."""

    code = "already_partner"
    title = "There is a partner programme already"
    status = 409
    message = "This organization has the programme {name} already."


class ApplicationPending(DomainError):
    """An organization applies once at a time."""

    code = "application_pending"
    title = "There is an open application"
    status = 409
    message = "Your application for {name} is not decided yet. Withdraw it to write another one."


class ApplicationDecided(DomainError):
    """An application ends once."""

    code = "application_decided"
    title = "The application is not open any more"
    status = 409
    message = "The application for {name} is {state}. Apply again if you need to."


class InvalidPartnerTerms(DomainError):
    """Terms cannot be so."""

    code = "invalid_partner_terms"
    title = "The terms cannot be so"
    message = "{field}: {problem}"


class SeatsTaken(DomainError):
    """The terms allow no more members."""

    code = "partner_seats_taken"
    about = "emails"
    title = "The programme has no seat left"
    status = 409
    message = (
        "The programme may have {limit} members and has {members}; {wanted} more were asked for. "
        "Remove members who left, or ask us for more seats."
    )


class TooManyMembers(DomainError):
    """More people at once than one request takes."""

    code = "too_many_members"
    about = "emails"
    title = "Too many people at once"
    message = "At most {most} people can be invited at once. Upload a file for more."


class MemberExists(DomainError):
    """An address is one member of a programme."""

    code = "partner_member_exists"
    about = "email"
    title = "The address is in the programme"
    status = 409
    message = "{email} is another member of the programme. Change or remove that one first."


class MemberNotInvited(DomainError):
    """Only who has not claimed yet is reminded, or gets his link once more."""

    code = "partner_member_not_invited"
    title = "There is nothing to claim"
    status = 409
    message = "{email} is {state}: only who is invited gets a link."


class MemberNotThere(DomainError):
    """Who left a programme is asked back before anything else is changed."""

    code = "partner_member_left"
    title = "The member has left the programme"
    status = 409
    message = "{email} has left the programme. Invite the address again first."


class MemberMailedRecently(DomainError):
    """The last mail to a member went out a short time ago."""

    code = "partner_member_mailed_recently"
    title = "The member got a mail a short time ago"
    status = 429
    message = "{email} got a mail a short time ago. The next one can go out in {wait}."


class GroupExists(DomainError):
    """Two groups of a programme are not called the same."""

    code = "partner_group_exists"
    about = "name"
    title = "There is a group with this name"
    status = 409
    message = "The programme has a group {name} already."


class ClaimNotOpen(DomainError):
    """The link was used, replaced, or is past its time."""

    code = "claim_not_open"
    title = "Nothing can be claimed by this link"
    status = 409
    message = "This link {state}. Ask {programme} for a new one."


class AlreadyInProgramme(DomainError):
    """A person is one member of a programme."""

    code = "already_in_programme"
    title = "You are in the programme with another address"
    status = 409
    message = (
        "You are in the programme {programme} as {email} already. Ask there to have the credits "
        "given to that address."
    )


class InvalidMemberAddress(DomainError):
    """Nobody can be written to at this address."""

    code = "invalid_member_address"
    about = "email"
    title = "The address is not valid"
    message = "{value}: {problem}"


class AwardKeyReused(DomainError):
    """The key of an award was used before, for another one."""

    code = "award_key_reused"
    title = "The key was used for another award"
    message = (
        "The key {key} belongs to an award of {credits} credits to another member, or by other "
        "terms. Use a new key for a new award."
    )
    status = 409


class InvalidAward(DomainError):
    """An award cannot be so."""

    code = "invalid_award"
    title = "The award cannot be so"
    message = "{field}: {problem}"


class MemberNotFound(DomainError):
    """The programme has no such member."""

    code = "member_not_found"
    about = "member"
    title = "There is no such member"
    message = "Nobody in the programme has this id or address. Invite the person first."
    status = 404


class MemberCannotReceive(DomainError):
    """The member is suspended, or has left."""

    code = "member_cannot_receive"
    about = "member"
    title = "The member cannot receive credits"
    message = (
        "This member is {member_status}, so nothing can be awarded. Lift the suspension, or invite "
        "the member again."
    )
    status = 409


class CampaignClosed(DomainError):
    """Nothing is awarded in a campaign before it begins, or after it has ended."""

    code = "campaign_closed"
    about = "campaign"
    title = "The campaign is not open"
    message = "The campaign {name} is not open now. Change its dates, or award without it."
    status = 409


class CampaignBudgetSpent(DomainError):
    """The campaign's budget does not cover the award."""

    code = "campaign_budget_spent"
    about = "credits"
    title = "The campaign's budget is used up"
    message = (
        "The campaign {name} has {left} credits left in its budget; {wanted} were asked for. "
        "Award fewer, or raise the budget."
    )
    status = 409


class AwardsRefused(DomainError):
    """Of awards that were to be made together, some cannot be; none was made."""

    code = "awards_refused"
    title = "Nothing was awarded"
    message = "{refused} of {awards} awards were refused, so none was made. The first: {first}"
    status = 409


class AwardOver(DomainError):
    """Nothing is left of an award: it was used, has expired or was revoked."""

    code = "award_over"
    title = "Nothing is left of the award"
    message = "Nothing is left of this award: it is {award_status}. Award new credits instead."
    status = 409


class AwardCannotLast(DomainError):
    """An award ends with the credits of the pool that it was made of, at the latest."""

    code = "award_cannot_last"
    about = "until"
    title = "The award cannot last so long"
    message = (
        "The credits of this award end on {ends} in the pool, and cannot last longer. Choose an "
        "earlier date, or award credits that last longer."
    )
    status = 409
