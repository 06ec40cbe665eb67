"""The API of partners and of their members."""
