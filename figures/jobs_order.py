"""One organization submits ten thousand areas, others one each: everybody gets his turn."""

from dataclasses import dataclass
from uuid import UUID

from apps.credits.services.prices import set_price
from apps.jobs.models import GenerationArea
from apps.jobs.models.jobs import MOST_AREAS
from apps.jobs.services import running
from apps.jobs.services.claiming import claim_area
from figures.jobs_controls import serving_the_oldest_first
from figures.jobs_runner import FIXED
from figures.jobs_shop import Customer, Shop, opened
from figures.lines import Report, scaled

WAITING, SMALL = 10_000, 20  # areas of the large one, and organizations beside it
ARRIVALS, OF_CONTROL = 200, 5  # areas of the small ones
MOST_CLAIMS = 100  # after which nobody waits for his turn any longer


@dataclass
class Turn:
    """How long somebody waits, in areas that were handed out meanwhile."""

    allowed: int  # those who waited when he came, himself among them, and who came since
    waited: int = 0


def order(report: Report) -> None:
    """Let small ones come at any moment, and count those who are served after their turn."""
    with (
        report.figure("job_fair_order", asked=scaled(ARRIVALS)) as figure,
        opened(SMALL + 1) as shop,
    ):
        set_price(name=FIXED, credit_cost=0, category="figure")  # what is paid is shown elsewhere
        large, *small = shop.customers
        for _ in range(scaled(WAITING) // MOST_AREAS):
            large.submit(["good"] * MOST_AREAS)
        turns = serve(shop, small, scaled(ARRIVALS))
        figure.examined, figure.failures = len(turns), late(turns)
        waiting = GenerationArea.objects.filter(status="pending").count()
        print(f"    {waiting} still wait; the longest wait of another: {longest(turns)} areas")
        with serving_the_oldest_first():
            turns = serve(shop, small, OF_CONTROL)
        figure.control = "red" if late(turns) else "green"
        print(f"    late, where the oldest is served first: {late(turns)} of {OF_CONTROL}")


def serve(shop: Shop, small: list[Customer], arrivals: int) -> list[Turn]:
    """Let so many come, none or two of whom are served in between, and then the rest."""
    turns: list[Turn] = []
    waiting: dict[UUID, Turn] = {}
    while len(turns) < arrivals:
        idle = [one for one in small if one.organization.pk not in waiting]
        if idle:
            customer = shop.chance.choice(idle)
            customer.submit(["good"])
            for turn in waiting.values():
                turn.allowed += 1  # who was served longer ago goes before
            turns.append(Turn(allowed=len(waiting) + 2))  # himself and the large one
            waiting[customer.organization.pk] = turns[-1]
        for _ in range(shop.chance.randint(0, 2)):
            serve_one(waiting)
    for _ in range(MOST_CLAIMS):
        serve_one(waiting)
    return turns


def serve_one(waiting: dict[UUID, Turn]) -> None:
    """Hand one area out, and have it done."""
    area = claim_area(operations=[FIXED], worker="figure")
    assert area is not None, "the large one has more than is ever handed out"
    for turn in waiting.values():
        turn.waited += 1
    waiting.pop(area.organization_id, None)
    running.run_area(area)


def late(turns: list[Turn]) -> int:
    """Count those who were served after their turn, or never."""
    return sum(turn.waited > turn.allowed for turn in turns)


def longest(turns: list[Turn]) -> int:
    """Return how long anybody waited."""
    return max(turn.waited for turn in turns)
