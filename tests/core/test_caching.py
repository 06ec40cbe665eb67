"""What a test process forgets between its tests, on a server that it shares with others."""

from django.conf import settings
from django.core.cache import cache

from tests.caching import forget_cached


def test_what_others_keep_at_the_same_server_stays():
    client = cache._cache.get_client(write=True)
    other = f"other-{settings.CACHE_PREFIX}:1:limit"
    queue = f"{settings.CACHE_PREFIX}:celery"
    cache.set("limit", 3)
    client.set(other, 3, ex=60)
    client.set(queue, 3, ex=60)

    forget_cached()

    assert cache.get("limit") is None
    assert (client.exists(queue), client.exists(other)) == (0, 1)
    client.delete(other)
