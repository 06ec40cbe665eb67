"""What is left of people who had themselves erased."""

import tempfile
import warnings
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core import mail
from django.test.utils import setup_test_environment, teardown_test_environment

from apps.rbac.services import erasures, forgetting
from apps.rbac.services.erasures import erase
from figures.lines import Report, scaled
from tests.caching import forget_cached
from tests.database import migrated_database
from tests.rbac.canaries import ask, columns, found_in, leave_traces, sign_up_canary

PEOPLE = 20
LEFT_OUT = forgetting.forget_in_the_audit_log  # the control: the step that is easiest to forget


def main() -> None:
    """Print the figure alone."""
    report = Report()
    with migrated_database():
        erased_user_left(report)
    report.end()


def erased_user_left(report: Report) -> None:
    """Every column of the database, searched for each of those who left their name everywhere."""
    people = scaled(PEOPLE)
    warnings.filterwarnings("ignore", "No directory at")  # of static files, which it needs not
    setup_test_environment()  # mails are kept in memory
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch.object(settings, "MEDIA_ROOT", Path(folder)),
            report.figure("erased_user_left", asked=len(columns()) * people) as figure,
        ):
            for _ in range(people):
                searched, left = erased()
                figure.examined += searched
                figure.failures += len(left)
            without = tuple(step for step in forgetting.STEPS if step is not LEFT_OUT)
            with mock.patch.object(erasures, "STEPS", without):
                figure.control = "red" if erased()[1] else "green"
    finally:
        mail.outbox.clear()
        teardown_test_environment()


def erased() -> tuple[int, list[str]]:
    """Erase one person; return how many columns were searched, and where he is still named."""
    forget_cached()  # so many sign-ups from one address would meet the limit
    canary = sign_up_canary()
    leave_traces(canary)
    assert found_in(canary.words)[1], "He has left no trace, so nothing would be shown."
    assert erase(erasure=ask(canary))
    return found_in(canary.words)


if __name__ == "__main__":
    main()
