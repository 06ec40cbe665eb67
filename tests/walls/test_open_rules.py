"""What the database shows of programmes to a person who may join them, and to nobody else."""

import pytest
from django.db import connection

from apps.core import scope
from apps.core.walls import WEB
from apps.partners.selectors.rules import open_rule, open_rules
from apps.partners.services.joining import join
from apps.partners.services.rules import create_rule, end_rule
from tests.partners.awarding import in_hand
from tests.partners.programme import make_programme
from tests.rbac.inviting import make_verified
from tests.roles import role

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule():
    other = make_programme(name="Other")
    create_rule(partner=other, domain="other.example", credits=1)
    return create_rule(partner=make_programme(credits=100), domain="green.example", credits=30)


def seen(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        return cursor.fetchone()[0]


def as_web(person):
    return scope.entered(scope.Scope(user_id=person.pk))


def test_the_web_sees_the_rules_for_ones_own_domain_and_whose_they_are(rule):
    ada = make_verified("ada@green.example")
    with as_web(ada), role(WEB):
        assert [(one, one.partner.name) for one in open_rules(ada)] == [(rule, "Green Neighbours")]
        assert (seen("partners_awardrule"), seen("partners_partner")) == (1, 1)
        assert (seen("partners_partnermember"), seen("credits_wallet")) == (0, 0)


def test_the_web_sees_none_that_has_ended_and_none_for_other_domains(rule):
    eve, ada = make_verified("eve@elsewhere.example"), make_verified("ada@green.example")
    with as_web(eve), role(WEB):
        assert (seen("partners_awardrule"), seen("partners_partner")) == (0, 0)
    end_rule(rule=rule)
    with as_web(ada), role(WEB):
        assert (seen("partners_awardrule"), seen("partners_partner")) == (0, 0)


def test_the_web_lets_the_person_join(rule):
    ada = make_verified("ada@green.example")
    with as_web(ada), role(WEB):
        member = join(rule=open_rule(ada, rule.public_id), user=ada)
        assert open_rule(ada, rule.public_id).is_taken
    assert in_hand(member) == 30
