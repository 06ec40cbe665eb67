"""News that tenants sends up."""

from django.dispatch import Signal

# Sent inside the transaction that creates an organization, with `organization`, `owner`
# and `with_trial`: rbac gives the owner his role, credits opens the wallet and grants the
# trial.
organization_created = Signal()

# Sent inside the transaction that changes what an organization tells about itself, with
# `organization` and `changed`, the names of the fields: credits moves the months of budgets.
organization_changed = Signal()

# Sent inside the transaction that closes an organization, with `organization`: credits
# closes its wallets, and then jobs looks whether work is still under way. Who cannot let it
# close raises a DomainError. Receivers hear it in the order of INSTALLED_APPS.
organization_closed = Signal()

# Sent to ask what stands against closing an organization, with `organization`; changes nothing.
# Receivers return the DomainError that they would raise, or None.
organization_closing = Signal()

# Sent inside the transaction that opens a closed organization again, with `organization`
# and `closed_at`, the moment at which it was closed.
organization_reopened = Signal()

# Sent inside the transaction that ends a person's membership, with `organization` and `user`:
# partners let him leave their programme.
membership_ended = Signal()

# Sent inside the transaction that erases a person, with `user` and `identity` (what he is known
# by), before his name and address are gone: whoever keeps something that names him forgets it.
person_erased = Signal()
