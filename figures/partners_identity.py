"""What was paid for is in the pool, with members, used or lapsed: at every moment of a season."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

from apps.credits.models import Lot
from apps.credits.services.grants import grant_credits
from apps.credits.services.transfers import RecallRequest
from apps.partners.models import PartnerCredit
from apps.partners.selectors import standings_of
from apps.partners.services import settling, standing
from figures.lines import SEED, Figure, Report, scaled
from figures.partners_programmes import Programme, broken, fresh, is_whole
from figures.partners_season import Season, how_it_went, never_done

CONNECTIONS = 8
STEPS, STEPS_OF_CONTROL = 3000, 240
MOST_COMMON = 60  # ways in which something went, that are shown


def programme_identity(report: Report) -> None:
    """Let two programmes have a season, by terms that return and that let lapse."""
    with report.figure("programme_identity", asked=scaled(STEPS) * 9 // 10) as figure:
        with fresh():
            _whole_season(figure)
        noticed = []
        for name, control in CONTROLS.items():
            with fresh(), control():
                noticed.append(_wrong(_season(STEPS_OF_CONTROL)))
            print(f"    {name}: {noticed[-1]} sums and invariants wrong", flush=True)
        figure.control = "red" if all(noticed) else "green"


def _whole_season(figure: Figure) -> None:
    season = _season(max(scaled(STEPS), 10 * CONNECTIONS))
    before_the_end = broken()
    season.end()
    figure.examined = len(season.told)
    found = {
        "errors": len(season.errors),
        "wrong while it went on": season.looks.count(False) + before_the_end,
        "not whole in the end": sum(not is_whole(one) for one in season.programmes),
        "broken invariants": broken(),
        "not as callers were told": sum(_not_as_told(one) for one in season.programmes),
        "never done or looked at": len(never_done(season)) + (not season.looks),
    }
    figure.failures = sum(found.values())
    for name, times in how_it_went(season).most_common(MOST_COMMON):
        print(f"    {times} {name}")
    for error in season.errors[:3]:
        print(f"    {error}")
    for programme in season.programmes:
        print(f"    {programme.partner.name}: {programme.parts()}")
    print(f"    looks={len(season.looks)} {found}", flush=True)


def _season(steps: int) -> Season:
    season = Season(SEED, steps)
    season.rage(CONNECTIONS)
    return season


def _wrong(season: Season) -> int:
    """Count what the sums and `verify` find wrong, before all has ended."""
    lost = sum(not is_whole(one) for one in season.programmes)
    return season.looks.count(False) + lost + broken(of_programmes=True)


def _not_as_told(programme: Programme) -> int:
    """Count sums that are not what those were told who awarded, used and gave back."""
    awards = list(PartnerCredit.objects.filter(partner=programme.partner))
    became = standings_of(awards).values()
    handed_on = sum(one.credits for one in awards)
    sums = {
        "awarded": (handed_on, sum(programme.awarded)),
        "out of the pool": (programme.handed_on()[0], sum(programme.awarded)),
        "used": (programme.parts().used, sum(programme.used)),
        "what became of awards": (
            handed_on,
            sum(one.left + one.used + one.returned + one.lapsed for one in became),
        ),
        "left": (programme.parts().members, sum(one.left for one in became)),
    }
    wrong = {name: both for name, both in sums.items() if both[0] != both[1]}
    if wrong:
        print(f"    {programme.partner.name}: {wrong}")
    return len(wrong)


@contextmanager
def returning_by_a_grant() -> Iterator[None]:
    """Let the pool get back what an award has left, and the member keep it."""

    def grant(*, target: object, requests: Sequence[RecallRequest], source: str) -> list[object]:
        return [
            grant_credits(
                wallet=target,
                amount=sum(Lot.objects.get(pk=lot_id).remaining for lot_id in one.lot_ids),
                kind=Lot.Kind.PURCHASE,
                reference=one.reference,
                source=source,
            )
            for one in requests
        ]

    with mock.patch.object(settling, "recall_many", grant):
        yield


@contextmanager
def leaving_with_all() -> Iterator[None]:
    """Let who leaves keep what he has."""
    with mock.patch.object(standing, "settle_member", return_value=0):
        yield


CONTROLS: dict[str, Callable] = {
    "what returns is granted anew": returning_by_a_grant,
    "who leaves takes his credits with him": leaving_with_all,
}
