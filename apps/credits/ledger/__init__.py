"""
The only writer of wallets, lots and transactions.

`commands` is what can be asked, `state` what is known under the lock, `planning` the
pure rules that turn both into rows, `posting` the thin shell around the database, and
`chain` the hash that ties each row to the one before.
"""
