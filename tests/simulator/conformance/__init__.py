"""Scenarios of Stripe's documentation, played with Stripe's own client."""
