"""Refusals of plans and their changes, and of a closing that billing stands against."""

from apps.core.errors import DomainError


class PlanNotOffered(DomainError):
    """There is no such plan, it is offered no more, or it cannot be had in this way."""

    code = "plan_not_offered"
    title = "This plan is not offered"
    message = "This plan is not offered, or no longer. Look at what is offered now."
    status = 409


class QuantityNotOffered(DomainError):
    """The plan is not bought for so many units, or not by units at all."""

    code = "quantity_not_offered"
    title = "The plan is not sold for this quantity"
    message = "Leave the quantity {allowed}."
    status = 422


class AlreadySubscribed(DomainError):
    """The organization has a plan: that is changed, and no second one begun."""

    code = "already_subscribed"
    title = "There is a subscription"
    message = "The organization is subscribed to {plan}. Change that plan instead."
    status = 409


class NotSubscribed(DomainError):
    """The organization has no plan."""

    code = "not_subscribed"
    title = "There is no subscription"
    message = "The organization has no subscription. Choose a plan first."
    status = 409


class ChangeNotPossible(DomainError):
    """What was asked does not fit how the subscription stands."""

    code = "change_not_possible"
    title = "The subscription cannot be changed so"
    message = "The subscription cannot be changed so: {reason}"
    status = 409


class ChangeUnderWay(DomainError):
    """Something else is being asked of the subscription."""

    code = "change_under_way"
    title = "Another change is under way"
    message = "Another change of the subscription is under way. Try again in a minute."
    status = 409


class BillingUnderWay(DomainError):
    """Money may still come for an organization that is to be closed."""

    code = "billing_under_way"
    title = "Money is still to come"
    message = "{reason}"
    status = 409


class PlanTimeRefused(DomainError):
    """Days of a plan, bought or given, cannot begin beside the plan that is there."""

    code = "plan_time_refused"
    title = "This plan cannot begin now"
    message = "This plan cannot begin now: {reason}"
    status = 409
