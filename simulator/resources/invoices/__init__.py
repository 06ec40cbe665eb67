"""Invoices: drafts, lines, collection, credit notes."""
