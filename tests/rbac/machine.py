"""Random lives of an organization's roles: whatever people try, nobody gets more than was given."""

from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from allauth.account.models import EmailAddress
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from apps.core.errors import DomainError
from apps.rbac import selectors
from apps.rbac.models import Invitation, Role
from apps.rbac.permissions import BY_CODE, SCOPES, STAFF_CODES
from apps.rbac.services import accepting, assignments, invitations, mailed_links, members
from apps.rbac.services import custom_roles as roles
from apps.rbac.services import ownership as owning
from apps.rbac.services.roles import assign_role, system_role
from apps.tenants.models import User
from tests.people import make_key, make_member, make_organization, make_person

# Who is there, by number. The sleeper owns it, too, and cannot sign in.
CAST = ["owner", "admin", "admin", "billing manager", "developer", "member"]
OWNER, SLEEPER, GUEST, STRANGER = 0, 6, 7, 8
ACTORS = st.sampled_from([*[0] * 6, *[1, 2] * 4, 3, 4, 5, GUEST, STRANGER])
PEOPLE = st.integers(0, STRANGER)
SYSTEM = ["owner", "owner", "admin", "billing manager", "developer", "member", "read-only"]
STAFF = ["credit clerk", "account manager"]
ROLES = st.integers(0, 99)  # which of those that exist
SOUGHT = ["billing.manage", "organization.close"]  # what admins lack
CODES = st.frozensets(st.sampled_from([*sorted(BY_CODE), *SOUGHT * 10]), max_size=3)
KEYS = st.none() | st.frozensets(st.sampled_from(SCOPES), min_size=1)  # their scopes
STALE = st.sampled_from([0, 0, 0, 0, 1])  # versions behind


class RoleMachine(RuleBasedStateMachine):
    """Lets anyone try anything, and compares what each may do before and after."""

    steps: ClassVar[int] = 0  # over all runs, for the figures
    done: ClassVar[int] = 0  # of them carried out and not refused
    owners_act: ClassVar[bool] = True

    @initialize()
    def begin(self):
        owner, guest, stranger = (make_person() for _ in range(3))
        self.organization = make_organization(owner=owner)
        cast = [make_member(self.organization, role) for role in CAST[1:]]
        sleeper = make_member(self.organization, "owner", is_active=False)
        self.people = [owner, *cast, sleeper, guest, stranger]
        EmailAddress.objects.create(user=guest, email=guest.email, verified=True, primary=True)
        self.elsewhere = make_organization(owner=stranger)
        self.make_role(stranger, self.elsewhere, "Foreign", "jobs.view")
        # A role with more than an admin may do: what he must not learn to use.
        self.make_role(owner, self.organization, "Treasurer", "billing.manage")
        helper = self.make_role(owner, self.organization, "Helper", "jobs.view")
        for person in self.people[1:4]:
            assign_role(user=person, role=helper, organization=self.organization)
        # Open from the start, so that the role and its giver can change before it is followed.
        self.invite_guest(self.people[1], helper)
        self.before = self.all_held()
        self.reach = self.reach_of_the_others()

    def make_role(self, by, organization, name, *codes) -> Role:
        return roles.create_role(by=by, organization=organization, name=name, codes=codes)

    def invite_guest(self, by, role) -> Invitation:
        email = self.people[GUEST].email
        return invitations.invite(organization=self.organization, email=email, role=role, by=by)

    @rule(by=ACTORS, codes=CODES, number=st.integers(0, 3))
    def make(self, by, codes, number):
        self.attempt(
            by,
            lambda actor: self.make_role(actor, self.organization, f"Own {number}", *codes),
            needs="roles.manage",
            writes=codes,
        )

    @rule(by=ACTORS, which=ROLES, codes=CODES, adds=st.booleans(), stale=STALE)
    def change(self, by, which, codes, adds, stale):
        role = self.role(which)
        had = frozenset(role.permissions.values_list("name", flat=True))
        wanted = roles.RoleDraft(
            role.pk, role.version - stale, codes=had | codes if adds else had - codes
        )
        self.attempt(
            by,
            lambda actor: roles.change_roles(
                by=actor, organization=self.organization, drafts=[wanted]
            ),
            needs="roles.manage",
            writes=codes - had if adds else codes & had,
            must_fail=stale or role.is_system_role,
        )

    @rule(by=ACTORS, which=ROLES)
    def delete(self, by, which):
        role = self.role(which)
        self.attempt(
            by,
            lambda actor: roles.delete_role(by=actor, role=role, version=role.version),
            needs="roles.manage" if role.organization == self.organization else "",
            must_fail=role.is_system_role,
        )

    @rule(by=ACTORS, to=PEOPLE, which=st.lists(ROLES, max_size=2), keeps=st.booleans(), scopes=KEYS)
    def replace(self, by, to, which, keeps, scopes):
        wanted = [self.role(one) for one in which]
        if keeps:
            wanted += selectors.roles_of_member(self.people[to], self.organization)
        key = self.key_of(by, scopes)
        self.attempt(
            by,
            lambda actor: members.set_roles(
                organization=self.organization,
                user=self.people[to],
                roles=wanted,
                by=actor,
                key=key,
            ),
            needs="members.manage",
            must_fail=not wanted,
            over=to,
            key=key,
        )

    @rule(by=ACTORS, to=st.integers(0, GUEST), which=ROLES, gives=st.booleans())
    def give_or_take_one(self, by, to, which, gives):
        work = assignments.give_role if gives else assignments.take_role
        role = self.role(which)
        self.attempt(
            by,
            lambda actor: work(
                by=actor, user=self.people[to], organization=self.organization, role=role
            ),
            needs="members.manage" if gives or to != by else "",
        )

    @rule(by=ACTORS, to=PEOPLE)
    def remove(self, by, to):
        self.attempt(
            by,
            lambda actor: members.remove_member(
                organization=self.organization, user=self.people[to], by=actor
            ),
            needs="members.manage" if to != by else "",
            over=to,
        )

    @rule(by=ACTORS, which=ROLES)
    def invite(self, by, which):
        self.attempt(
            by,
            lambda actor: self.invite_guest(actor, self.role(which)),
            needs="members.manage",
        )

    @rule()
    def accept(self):
        """Let the guest follow his link; who invited him must hold then what he gets."""
        pending = Invitation.Status.PENDING
        found = Invitation.objects.filter(organization=self.organization, status=pending).first()
        if found is None:
            return
        token = mailed_links.new_token(mailed_links.INVITATION)
        found.digest = mailed_links.digest_of(token)
        found.save(update_fields=["digest"])
        self.attempt(
            GUEST,
            lambda actor: accepting.accept(invitation=found, user=actor, token=token),
            backed_by=self.people.index(found.invited_by),
        )

    @rule(by=ACTORS, which=ROLES)
    def accept_from_one_who_fell(self, by, which):
        """What chance rarely does in this order: whoever invited has another role by then."""
        pending = Invitation.Status.PENDING
        found = Invitation.objects.filter(organization=self.organization, status=pending).first()
        if found is not None:
            self.replace(by, self.people.index(found.invited_by), [which], False, None)
            self.accept()

    @rule(by=ACTORS, to=PEOPLE, offers=st.booleans())
    def offer_or_step_down(self, by, to, offers):
        where = self.organization
        self.attempt(
            by,
            lambda actor: (
                owning.request_transfer(
                    organization=where, from_user=actor, to_user=self.people[to]
                )
                if offers
                else owning.step_down(organization=where, user=actor)
            ),
        )

    @rule(answer=st.sampled_from([owning.accept_transfer, owning.decline_transfer]), by=ACTORS)
    def answer(self, answer, by):
        """Let somebody answer the offer, mostly the one whom it was made."""
        transfer = selectors.open_transfer_of(self.organization)
        if transfer is not None:
            self.attempt(
                by if by == STRANGER else self.people.index(transfer.to_user),
                lambda actor: answer(transfer=transfer, user=actor),
                backed_by=self.people.index(transfer.from_user),
            )

    @invariant()
    def an_owner_stays(self):
        assert selectors.owners_of(self.organization).exists()

    @invariant()
    def nobody_comes_in_uninvited(self):
        assert not selectors.permissions_of(self.people[STRANGER], self.organization)

    @invariant()
    def staff_permissions_stay_outside(self):
        assert not any(held & STAFF_CODES for held in self.before)

    @invariant()
    def together_the_others_reach_no_further(self):
        if not self.owners_act:
            assert self.reach_of_the_others() <= self.reach

    def attempt(
        self,
        by: int,
        work: Callable[[User], object],
        *,
        needs: str = "",
        must_fail: object = False,
        backed_by: int | None = None,
        over: int | None = None,
        writes: frozenset[str] = frozenset(),
        key=None,
    ):
        """Let one try; what anyone gains or loses by it, he held, or the one who backed it."""
        if not self.owners_act and (by == OWNER or backed_by == OWNER):
            return
        type(self).steps += 1
        actor = User.objects.get(pk=self.people[by].pk)
        backer = by if backed_by is None else backed_by
        allowed = self.held(backer, key)
        with suppress(DomainError), transaction.atomic():
            work(actor)
            with connection.cursor() as cursor:
                # What is asked at commit is asked now, or the test's transaction would hide it.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            assert not must_fail
            assert not needs or needs in allowed
            assert writes <= allowed
            type(self).done += 1
            after = self.all_held()
            if over not in (None, by, STRANGER) and after != self.before:
                assert self.before[over] <= allowed or key is not None
            for before_it, after_it in zip(self.before, after, strict=True):
                assert after_it - before_it <= allowed
                assert before_it - after_it <= self.held(backer)
            self.before = after
            return
        assert self.all_held() == self.before

    def held(self, number: int, key=None) -> frozenset[str]:
        """Return what one held before the step, at most what his key's scopes allow."""
        codes = frozenset() if number == STRANGER else self.before[number]
        if key is None:
            return codes
        return frozenset(code for code in codes if BY_CODE[code].scope in key.scopes)

    def key_of(self, by: int, scopes):
        """Return a key of that person, with those of the scopes that he may have."""
        if scopes is None:
            return None
        with suppress(DomainError), transaction.atomic():
            return make_key(self.organization, self.people[by], *scopes)[0]
        return None

    def all_held(self) -> list[frozenset[str]]:
        return [
            selectors.permissions_of(person, self.organization) for person in self.people[:STRANGER]
        ]

    def reach_of_the_others(self) -> frozenset[str]:
        return frozenset().union(*self.all_held()[1:])

    def role(self, which: int) -> Role:
        """Return a role: of the organization, of the system, for staff, or of another one."""
        own = list(Role.objects.filter(organization=self.organization).order_by("name"))
        fixed = [system_role(name) for name in [*SYSTEM, *STAFF]]
        foreign = list(Role.objects.filter(organization=self.elsewhere))
        known = [*own * 8, *fixed, *foreign * 4]
        return known[which % len(known)]


class WithoutOwnersMachine(RoleMachine):
    """The same, and the owner only watches: the others together win nothing."""

    owners_act = False
