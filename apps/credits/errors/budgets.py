"""Refusals of budgets."""

from apps.core.errors import DomainError


class BudgetExceeded(DomainError):
    """The wallet's budget for this month would be exceeded; nothing was written."""

    code = "budget_exceeded"
    title = "The budget is used up"
    message = (
        "This needs {asked} credits; {used} of this month's budget of {limit} are used. "
        "Ask for a higher limit, or wait for the next month."
    )
    status = 402


class BudgetExists(DomainError):
    """A wallet has one active budget."""

    code = "budget_exists"
    title = "There is a budget already"
    message = "This wallet has an active budget. Change that one, or pause it first."
    status = 409


class BudgetTestTooSoon(DomainError):
    """A test mail of a budget goes out once a minute at most."""

    code = "budget_test_too_soon"
    title = "There was a test a moment ago"
    message = "A test mail of this budget went out within the last minute. Look for it, or wait."
    status = 409
