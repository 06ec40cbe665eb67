"""What each row of a file would do, asked as often for many rows as for few."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from apps.core.sheets import Fault, Line
from apps.partners.models import (
    MemberGroup,
    PartnerCredit,
    PartnerMember,
    Upload,
    UploadRow,
)
from apps.partners.selectors.programmes import seats_free
from apps.partners.services.sheets import Field
from apps.partners.services.uploads.parsing import Parsed, parse_row

Status = UploadRow.Status


@dataclass
class Known:
    """What is known of a programme that rows can be about."""

    members: dict[str, PartnerMember]  # by address
    awards: dict[str, PartnerCredit]  # of this batch, by key
    groups: dict[str, MemberGroup]  # by name in lower case
    seats: int | None  # that are free; None: no limit
    seen: dict[str, int] = field(default_factory=dict)  # addresses of rows above, and which


def key_of(batch: str, email: str) -> str:
    """
    Return the key of the award that a batch gives an address: one, however often it is asked.

    A digest, since a key is never rewritten, and an address must be when a person is erased.
    """
    return f"upload:{sha256(f'{batch}\n{email}'.encode()).hexdigest()}"


@dataclass(frozen=True)
class Checked:
    """Rows with what each would do, not saved, beside what they say and what is known."""

    rows: list[UploadRow]
    parsed: list[Parsed]
    known: Known


def check_lines(upload: Upload, lines: Sequence[Line]) -> Checked:
    """Return what each row of an upload would do now."""
    lines = [_filled(line, len(upload.columns)) for line in lines]
    parsed = [parse_row(line.cells, upload.columns, upload.mapping) for line in lines]
    known = look_up(upload, parsed)
    rows = [_row(upload, line, said, known) for line, said in zip(lines, parsed, strict=True)]
    return Checked(rows, parsed, known)


def _filled(line: Line, width: int) -> Line:
    """Return a row with a cell in each column: it has none once its person was erased."""
    missing = width - len(line.cells)
    return Line(line.number, (*line.cells, *("" for _ in range(missing))))


def look_up(upload: Upload, rows: Sequence[Parsed]) -> Known:
    """Read what rows are about, in as many queries however many they are."""
    emails = {parsed.email for parsed in rows if parsed.email}
    members = PartnerMember.objects.filter(partner_id=upload.partner_id, email__in=emails)
    keys = [key_of(upload.batch, email) for email in emails]
    awards = PartnerCredit.objects.filter(partner_id=upload.partner_id, key__in=keys)
    groups = MemberGroup.objects.filter(partner_id=upload.partner_id)
    return Known(
        members={member.email: member for member in members},
        awards={award.key: award for award in awards},
        groups={group.name.lower(): group for group in groups},
        seats=seats_free(upload.partner),
    )


def _row(upload: Upload, line: Line, parsed: Parsed, known: Known) -> UploadRow:
    row = UploadRow(
        organization_id=upload.organization_id,
        upload=upload,
        number=line.number,
        cells=list(line.cells),
        email=parsed.email,
        credits=parsed.credits,
        member=known.members.get(parsed.email),
    )
    faults = list(parsed.faults)
    if parsed.email and known.seen.setdefault(parsed.email, line.number) != line.number:
        above = known.seen[parsed.email]
        said = f"Row {above} has this address. Put its credits together in one row."
        faults.append(_fault(upload, line, Field.EMAIL, "address_twice", said))
    if not faults:
        earlier = known.awards.get(key_of(upload.batch, parsed.email))
        if earlier and _is_same(earlier, upload, parsed):
            row.status, row.award, row.member_id = Status.REPEATED, earlier, earlier.member_id
            return row
        faults = _refusals(upload, line, parsed, known, earlier)
    if faults:
        row.status, row.errors = Status.WRONG, [one.as_json() for one in faults]
    else:
        row.status = _status_of(parsed, known)
    return row


def _is_same(award: PartnerCredit, upload: Upload, parsed: Parsed) -> bool:
    return (award.credits, award.campaign_id) == (parsed.credits, upload.campaign_id)


def _refusals(
    upload: Upload, line: Line, parsed: Parsed, known: Known, earlier: PartnerCredit | None
) -> list[Fault]:
    """Return why a row that can be read cannot be done."""
    member, faults = known.members.get(parsed.email), []
    if earlier:
        said = (
            f"This batch gave this address {earlier.credits:,} credits already. Write as many,"
            " or upload the file by another name of the batch."
        )
        faults.append(_fault(upload, line, Field.CREDITS, "batch_says_otherwise", said))
    if member and member.status == PartnerMember.Status.SUSPENDED:
        said = "This member is suspended. Lift that on his page, or leave the row out."
        faults.append(_fault(upload, line, Field.EMAIL, "member_suspended", said))
    if parsed.group and parsed.group.lower() not in known.groups:
        said = "There is no such group. Make it on the page of members, or leave the cell empty."
        faults.append(_fault(upload, line, Field.GROUP, "unknown_group", said))
    if not faults and _comes(member) and known.seats is not None:
        if known.seats == 0:
            said = "The programme has no seat left for this member. Remove others, or ask for more."
            faults.append(_fault(upload, line, Field.EMAIL, "partner_seats_taken", said))
        else:
            known.seats -= 1
    return faults


def _fault(upload: Upload, line: Line, of: Field, code: str, message: str) -> Fault:
    place = upload.mapping[of]
    return Fault(upload.columns[place], line.cells[place], code, message)


def _comes(member: PartnerMember | None) -> bool:
    """Tell whether an award invites the person, and so takes a seat."""
    return member is None or member.status == PartnerMember.Status.LEFT


def _status_of(parsed: Parsed, known: Known) -> Status:
    member = known.members.get(parsed.email)
    if member is None or _comes(member):
        return Status.NEW
    return Status.CHANGED if changes_of(parsed, member, known) else Status.UNCHANGED


def changes_of(parsed: Parsed, member: PartnerMember, known: Known) -> dict[str, object]:
    """Return what a row says of a member and was not known so; an empty cell says nothing."""
    group = known.groups.get(parsed.group.lower())
    said = {
        "first_name": parsed.first_name,
        "last_name": parsed.last_name,
        "group_id": group.pk if group else None,
    }
    return {name: value for name, value in said.items() if value and value != getattr(member, name)}
