"""Who takes part: one module each, with what it had to be given at its top."""
