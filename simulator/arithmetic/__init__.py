"""Rules of billing that are arithmetic alone: no state, no requests."""
