"""Pictures wait in a queue of their own, so that nothing else waits for them."""

from celery import current_app

WORK, REST = "work", "celery"


def route_of(task: str) -> tuple[str, str]:
    """Return the queue to which a task is sent, and the key by which the broker knows it."""
    queue = current_app.amqp.router.route({}, task)["queue"]
    return queue.name, queue.routing_key


class TestTheQueues:
    def test_keep_pictures_from_the_rest(self):
        assert route_of("jobs.work") == (WORK, WORK)
        for task in ("billing.sweep_events", "core.send_mails", "jobs.sweep_jobs"):
            assert route_of(task) == (REST, REST)

    def test_are_both_listened_to_by_a_worker_that_names_none(self):
        assert set(current_app.amqp.queues.consume_from) == {WORK, REST}
