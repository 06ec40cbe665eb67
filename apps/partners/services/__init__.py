"""What changes programmes, members and awards."""
