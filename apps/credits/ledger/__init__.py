"""
The only writer of wallets, lots and transactions.

`commands` is what can be asked, `state` what is known under the lock, `planning` the
pure function from both to rows, `rules` what each command does, `book` where credits
move, `chain` the hash that ties each row to the one before, `posting` the thin shell
around the database, and `rows` its SQL.
"""
