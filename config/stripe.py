"""What Stripe may be here: its live mode, its test mode, or a stand-in that charges no card."""

from django.core.exceptions import ImproperlyConfigured


def check_stripe(
    key: str, is_live: bool, stand_in: str, may_simulate: bool, is_clock_movable: bool
) -> None:
    """
    Refuse to start where money could be taken, or seem to be taken, by mistake.

    :raises ImproperlyConfigured: saying what to change.
    """
    if key and ("_live_" in key) != is_live:
        raise ImproperlyConfigured(
            "STRIPE_SECRET_KEY and STRIPE_LIVE_MODE do not match: a live key (sk_live_…) goes "
            "with true, a test key (sk_test_…) with false."
        )
    if stand_in and (is_live or not may_simulate):
        raise ImproperlyConfigured(
            "STRIPE_API_URL names a stand-in for Stripe, which charges no card: it is for DEMO "
            "and DEBUG, never for live mode. Leave it empty to speak to Stripe itself."
        )
    if is_live and is_clock_movable:
        raise ImproperlyConfigured(
            "MOVABLE_CLOCK lets time be moved, and STRIPE_LIVE_MODE takes real money: never both. "
            "Set MOVABLE_CLOCK to false (it is true by itself where DEMO is)."
        )
