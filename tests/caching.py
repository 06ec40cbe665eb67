"""The cache of one test process: several share a server, and each has a prefix of its own."""

from django.conf import settings
from django.core.cache import cache


def forget_cached() -> None:
    """
    Remove all that this process keeps at the server, what waits for its workers included.

    `cache.clear()` would empty the whole database: the other processes' limits and queues too.
    """
    client = cache._cache.get_client(write=True)
    mine = list(client.scan_iter(match=f"{settings.CACHE_PREFIX}:*", count=1000))
    if mine:
        client.unlink(*mine)
