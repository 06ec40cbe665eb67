"""`make figures-3`: who may do what, what nobody sees of others, and lives of roles."""

from figures.authorization import the_matrix
from figures.lines import Report
from figures.privacy import erased_user_left
from figures.roles import the_roles
from figures.walls import behind_a_pooler, quiet, the_second_wall_alone
from tests.database import migrated_database
from tests.roles import web_role_for_requests


def main() -> None:
    """Print every figure of organizations, people and the walls between them."""
    report = Report()
    with migrated_database():
        with web_role_for_requests():
            the_matrix(report)
        the_roles(report)
        with quiet():
            the_second_wall_alone(report)
            behind_a_pooler(report)
            erased_user_left(report)
    report.end()


if __name__ == "__main__":
    main()
