"""Checkout: sessions, what they sell, and how they are completed."""
