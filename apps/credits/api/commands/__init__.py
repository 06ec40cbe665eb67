"""The endpoints that move credits: each posts once for its key, and can be tried dry."""
