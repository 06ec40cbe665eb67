"""The pages of partners and of their members."""
