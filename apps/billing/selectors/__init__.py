"""What billing reads."""
