"""
`python -m simulator`: serve the stand-in for Stripe.

    python -m simulator --port 12111
    python -m simulator --port 12111 --file state.json
    python -m simulator --forward-to http://127.0.0.1:8000/webhook --secret whsec_x

Then set the API base of a client to http://127.0.0.1:12111 and any key that begins with
`sk_test_`. State is in memory; with `--file` it is there again after a restart.
"""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from simulator import resources
from simulator.core.persistence import Keeper
from simulator.core.server import Server
from simulator.core.world import DELIVERED_HOSTS, World
from simulator.resources import webhook_endpoints

REFUSED = (
    "Webhooks cannot go to {}: give an address of this machine, such as "
    "http://127.0.0.1:8000/webhook, or allow its host with --deliver-to HOST.\n"
)
DEFAULT_PORT = 12111  # that of stripe-mock, which many have in their settings already


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped; return the exit status."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    world = make_world(deliver_to=(*DELIVERED_HOSTS, *options.deliver_to))
    world.limit.per_second = options.rate_limit
    world.is_checked, world.is_strict = options.check, options.strict
    keeper = Keeper(world, options.file) if options.file else None
    if options.forward_to:
        if urlsplit(options.forward_to).hostname not in world.deliveries.hosts:
            sys.stderr.write(REFUSED.format(options.forward_to))
            return 1
        forward(world, options.forward_to, options.secret)
    try:
        server = Server(world, options.port)
    except OSError as error:
        sys.stderr.write(f"Port {options.port} cannot be had: {error.strerror}\n")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        # From a thread of its own, because `shutdown` waits for the loop that we interrupt.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    if keeper is not None:
        keeper.start()
    sys.stdout.write(f"Stripe simulator on {server.url} (inspect: {server.url}/_sim)\n")
    sys.stdout.flush()
    server.serve()
    return 0 if keeper is None or keeper.stop() else 1


def make_world(*, deliver_to: Sequence[str] = DELIVERED_HOSTS) -> World:
    """Return a world with what every account has from its first day."""
    resources.load()
    world = World(deliver_to=tuple(deliver_to))
    world.begin()
    return world


def forward(world: World, url: str, secret: str | None) -> None:
    """Tell an address of everything; a restart finds the endpoint of the first start."""
    with world.transaction() as tx:
        known = [one for one in tx.where("webhook_endpoint") if one["url"] == url]
        endpoint = known[0] if known else webhook_endpoints.make(tx, url, ["*"])
        endpoint["_secret"] = secret or endpoint["_secret"]
    sys.stdout.write(f"Webhooks go to {url} with the secret {endpoint['_secret']}\n")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A local Stripe.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes any free one")
    parser.add_argument("--file", type=Path, help="keep the state in this file")
    parser.add_argument(
        "--deliver-to",
        action="append",
        default=[],
        metavar="HOST",
        help="let webhooks go to this host too; only this machine's otherwise",
    )
    parser.add_argument("--forward-to", metavar="URL", help="tell this address of every event")
    parser.add_argument("--secret", help="that signs what goes there; made up otherwise")
    parser.add_argument(
        "--rate-limit",
        type=int,
        metavar="N",
        help="answer 429 to more than N requests a second; Stripe's test mode has 25",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse parameters of Stripe's that nothing is done with here",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="hold every answer against Stripe's description; /_sim/violations tells what is wrong",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
