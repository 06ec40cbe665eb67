"""What `manage.py verify` finds, for tests that end with everything in order."""

from apps.core.invariants import verify


def broken() -> list[str]:
    """Return the codes of the invariants that are broken, in order."""
    return [finding.invariant.code for finding in verify() if finding.failures]
