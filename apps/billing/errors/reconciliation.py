"""Refusals of repairs."""

from apps.core.errors import DomainError


class CaseClosed(DomainError):
    """Somebody repaired or dismissed the case, or a later run did not find it any more."""

    code = "case_closed"
    title = "The case is closed"
    message = "This case is open no more. Load it again, and see what became of it."
    status = 409


class CaseNotRepairable(DomainError):
    """No entry of ours repairs it: no money came, or it has to be put right at Stripe."""

    code = "case_not_repairable"
    title = "No entry repairs this"
    message = (
        "No entry repairs this: Stripe does not say that it is paid, or for what was sold here. "
        "Put it right at Stripe or with a correction, and dismiss the case with the reason."
    )
    status = 409


class CaseOvertaken(DomainError):
    """While Stripe was asked for a repair, an event about the same subscription was handled."""

    code = "case_overtaken"
    title = "Newer news came meanwhile"
    message = "An event about this was handled while it was repaired. Nothing was done: try again."
    status = 409
