"""The pages of capacity, for customers."""
