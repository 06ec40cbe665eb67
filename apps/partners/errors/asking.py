"""Refusals of requests, campaigns, rules and joining."""

from apps.core.errors import DomainError


class NotAMember(DomainError):
    """The person belongs to no programme of this organization."""

    code = "not_a_partner_member"
    title = "You are no member of a partner programme here"
    status = 409
    message = (
        "Nobody in this organization's partner programme is you. Ask it for an invitation, and "
        "follow its link."
    )


class MemberCannotAsk(DomainError):
    """Only a member who may spend credits asks for more."""

    code = "member_cannot_ask"
    title = "No credits can be asked for now"
    status = 409
    message = (
        "Your membership is {member_status}, so that no credits can be asked for. Ask the "
        "programme to lift that."
    )


class RequestPending(DomainError):
    """A member has one request at a time."""

    code = "credit_request_pending"
    title = "There is a request already"
    status = 409
    message = (
        "You asked for {credits} credits already, and the programme has not answered yet. Wait, "
        "or withdraw that request and ask again."
    )


class RequestDecided(DomainError):
    """The request is over."""

    code = "credit_request_decided"
    title = "The request is over"
    status = 409
    message = "The request was {state} already, and stays so."


class InvalidCreditRequest(DomainError):
    """Nobody can ask for this."""

    code = "invalid_credit_request"
    title = "The request cannot be so"
    message = "{field}: {problem}"


class InvalidCampaign(DomainError):
    """A campaign cannot be so."""

    code = "invalid_campaign"
    title = "The campaign cannot be so"
    message = "{field}: {problem}"


class CampaignNameTaken(DomainError):
    """Two campaigns of one programme have two names."""

    code = "campaign_name_taken"
    about = "name"
    title = "There is a campaign with this name"
    status = 409
    message = "The programme has a campaign called {name} already. Choose another name."


class CampaignOver(DomainError):
    """A campaign that has ended stays as it was."""

    code = "campaign_over"
    title = "The campaign is over"
    status = 409
    message = "The campaign {name} is over and stays as it was. Make another one."


class InvalidAwardRule(DomainError):
    """A rule cannot be so."""

    code = "invalid_award_rule"
    title = "The rule cannot be so"
    message = "{field}: {problem}"


class AwardRuleExists(DomainError):
    """A domain has one rule in a programme."""

    code = "award_rule_exists"
    about = "domain"
    title = "There is a rule for this domain"
    status = 409
    message = "The programme has a rule for {domain} already. Change it, or end it first."


class AwardRuleEnded(DomainError):
    """What a rule gave is taken no more."""

    code = "award_rule_ended"
    title = "The rule has ended"
    status = 409
    message = "The rule for {domain} has ended, and gives nothing any more."


class CannotJoin(DomainError):
    """A programme is open to somebody by his address, and not to him."""

    code = "cannot_join_programme"
    title = "You cannot join this programme"
    status = 409
    message = "You cannot join {name}: {problem}"
