"""News that tenants sends up."""

from django.dispatch import Signal

# Sent inside the transaction that creates an organization, with `organization` and
# `owner`: rbac gives the owner his role, credits opens the wallet and grants the trial.
organization_created = Signal()
