"""
How many requests each organization, key, person and address may send.

`policies` knows which policies apply to a request, `windows` counts them in Redis, `counters`
counts actions on money in PostgreSQL while Redis is away, and `limiter` decides. `requests` asks
it for every request of the API, and `middleware` for every change on a page.
docs/guides/rate-limits.md says how it is run.
"""
