"""
Ledgers and wallets that others published, one adapter each.

Each says at its top what it had to be given, which call stands for a charge, and what
that call does not do. They run in a virtual environment of their own (`packages`).
"""
