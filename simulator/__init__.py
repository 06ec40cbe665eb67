"""A stand-in for Stripe: its API, its test cards and its webhooks, on this machine alone."""
