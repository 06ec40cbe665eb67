"""`make bench`: all that is measured, or the parts that are named."""

import sys

from bench import batches, capacity, charges, generation, growth, jobs, uploads
from bench.server import durable_server

PARTS = {
    "charges": charges.run,
    "rivals": charges.run_rivals,
    "batches": batches.run,
    "growth": growth.run,
    "jobs": jobs.run,
    "capacity": capacity.run,
    "generation": generation.run,
    "uploads": uploads.run,
}

if __name__ == "__main__":
    wanted = sys.argv[1:] or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"There is no {', '.join(unknown)}; there is {', '.join(PARTS)}.")
    with durable_server() as server:
        for part in wanted:
            PARTS[part](server)
