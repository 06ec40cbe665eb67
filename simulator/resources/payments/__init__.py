"""Payment and setup intents."""
