"""Django's backend for PostgreSQL, which tells the database for whom each statement works."""
