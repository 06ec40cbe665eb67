"""Which runner does which operation."""

from apps.jobs.runners.protocol import Runner
from apps.jobs.runners.restyle import Restyle

RUNNERS: dict[str, Runner] = {runner.operation: runner for runner in (Restyle(),)}
