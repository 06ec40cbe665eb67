"""Awards of the demo's programme: used, offered, taken back; and a file with a wrong row."""

from collections.abc import Sequence

from apps.core import context
from apps.credits.services.charges import charge_amount
from apps.partners.models import Partner, PartnerMember
from apps.partners.services.awards import AwardRequest, award_many
from apps.partners.services.settling import revoke
from apps.partners.services.uploads.storing import store_upload
from apps.tenants.models import User

CREDITS = (120, 60, 40)  # for who has claimed, and for two who have not
USED = 35
FILE = """\
email,first name,credits,group
lotte@neighbours.test,Lotte,30,Gardens
marek@neighbours.test,Marek,30,Roofs
nobody at neighbours.test,,30,Roofs
"""


def hand_on(partner: Partner, manager: User, members: Sequence[PartnerMember]) -> None:
    """Award to three members, one of whom uses some and one of whom loses it, and upload a file."""
    with context.acting(actor=f"user:{manager.public_id}"):
        requests = [
            AwardRequest(member=member, credits=credits, key=f"demo:{number}", note="Welcome")
            for number, (member, credits) in enumerate(zip(members, CREDITS, strict=True))
        ]
        *_, last = award_many(partner=partner, requests=requests, by=manager, all_or_nothing=True)
        charge_amount(
            wallet=members[0].wallet,
            amount=USED,
            reference="demo:garden-plan",
            source="demo",
            description="A plan of the garden",
        )
        assert not isinstance(last, Exception), "it is all or nothing"
        revoke(award=last.award, reason="Awarded by mistake")
        store_upload(partner=partner, data=FILE.encode(), filename="spring.csv", by=manager)
