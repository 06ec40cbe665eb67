"""
PostgreSQL, Valkey and the demo's processes, for a machine that has only Python.

A program of its own: it knows nothing of Django, and production never imports it.
`keeper` owns a server for as long as somebody uses it, `postgres` and `valkey` say how
theirs are started, `supervisor` runs the demo.
"""
