"""What is known of partners, their members and their awards."""

from apps.partners.selectors.award_lots import ends_in_the_pool, open_lots_of
from apps.partners.selectors.awards import (
    AwardFilter,
    AwardStanding,
    award_of,
    award_rows,
    awards_of,
    read_standing,
    receiver_of,
    standing_of,
    standings_of,
)
from apps.partners.selectors.programmes import (
    find_partner,
    partner_of,
    seats_taken,
    terms_of,
)

__all__ = [
    "AwardFilter",
    "AwardStanding",
    "award_of",
    "award_rows",
    "awards_of",
    "ends_in_the_pool",
    "find_partner",
    "open_lots_of",
    "partner_of",
    "read_standing",
    "receiver_of",
    "seats_taken",
    "standing_of",
    "standings_of",
    "terms_of",
]
