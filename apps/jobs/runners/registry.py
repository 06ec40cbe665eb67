"""Which runner does which operation."""

from apps.jobs.runners.contact_sheet import ContactSheet
from apps.jobs.runners.enlarge import Enlarge
from apps.jobs.runners.protocol import Runner, StyledRunner
from apps.jobs.runners.restyle import Restyle

STYLED: dict[str, StyledRunner] = {runner.operation: runner for runner in (Restyle(),)}
RUNNERS: dict[str, Runner] = {
    **STYLED,
    **{runner.operation: runner for runner in (Enlarge(), ContactSheet())},
}
