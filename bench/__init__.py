"""
Speed, as ratios against something run beside it in the same minute; never a timed test.

Every contestant runs in a program of its own (`host`), on one durable PostgreSQL
(`server`), in a database of its own. They take turns (`contest`), so that whatever else
the machine does meets all of them.
"""
