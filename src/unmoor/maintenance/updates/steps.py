"""Update a lock step by step. `LockUpdate.run` is the list.

Nothing is written here: the result holds the locks. Each group begins with the lock that passed before it, so the last
lock is the one to write, and every lock in the result has passed the tests as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.errors import CheckFailed, Refused
from unmoor.maintenance.updates.caps import HeldBack, held_back, without_caps
from unmoor.maintenance.updates.groups import ORDER, Update, UpdateGroup, group_of
from unmoor.maintenance.updates.halving import Halving, Trial, TrialState
from unmoor.maintenance.updates.lock import Lock, Move, difference, read_lock
from unmoor.maintenance.updates.result import OmittedUpdate, TestedGroup, UpdateResult
from unmoor.ports.lock_updates import LockResolver, LockTests, Unresolved
from unmoor.util.text import clean, count_of, list_some
from unmoor.versioning.pep440 import version_in

_ROUNDS = 8
_PATIENCE = 120.0


class UpdateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to update: the lock and ``pyproject`` of a commit, which groups, and only which packages if any are named.

    ``until``: only files that were uploaded before count. ``None``: the project says that itself, or nobody does.
    """

    commit: str
    path: str
    lock: bytes
    pyproject: bytes
    groups: frozenset[UpdateGroup]
    names: tuple[str, ...] = ()
    until: datetime | None = None
    words: str = ""


class PlannedUpdates(msgspec.Struct, frozen=True, kw_only=True):
    """The updates of one group, the versions that each package may have, and those that new packages shall have."""

    updates: tuple[Update, ...]
    allowed: Mapping[str, str]
    later_groups: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class LockUpdate:
    """One update of one lock. ``say`` gets a line for each step that takes a while."""

    request: UpdateRequest
    resolver: LockResolver
    tests: LockTests
    say: Callable[[str], None]
    runs: int = 0
    held: list[HeldBack] = field(default_factory=list)
    left_out: list[OmittedUpdate] = field(default_factory=list)
    flaky: list[Update] = field(default_factory=list)
    unfixed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self) -> UpdateResult:
        """Plan, try and choose. Raises `Refused`, `Unknown`, and `CheckFailed` if the unchanged lock fails."""
        planned = self._plan()
        groups: list[TestedGroup] = []
        if any(each.updates for each in planned.values()):
            self._require_passing()
            lock = self.request.lock
            for group in ORDER:
                if group in planned and (found := self._try_group(group, planned[group], lock)) is not None:
                    groups.append(found)
                    lock = found.lock.encode()
        return self._result(groups)

    def plan(self) -> UpdateResult:
        """Say what would be tried: the groups have no locks. Raises as `run` does."""
        planned = self._plan()
        groups = [
            TestedGroup(group=group, updates=planned[group].updates, lock="")
            for group in ORDER
            if group in planned and planned[group].updates
        ]
        return self._result(groups)

    def _plan(self) -> dict[UpdateGroup, PlannedUpdates]:
        before = read_lock(self.request.lock)
        self._require_named(before)
        self.resolver.require_current(self.request.lock)
        planned: dict[UpdateGroup, PlannedUpdates] = {}
        if UpdateGroup.SECURITY in self.request.groups:
            planned[UpdateGroup.SECURITY] = self._plan_security(before)
        if self.request.groups - {UpdateGroup.SECURITY}:
            urgent = planned.get(UpdateGroup.SECURITY)
            planned |= self._plan_by_size(before, {each.name for each in urgent.updates} if urgent else set())
        return planned

    def _result(self, groups: Sequence[TestedGroup]) -> UpdateResult:
        return UpdateResult(
            commit=self.request.commit,
            path=self.request.path,
            lock_sha256=hashlib.sha256(self.request.lock).hexdigest(),
            until=self.request.words if self.request.groups - {UpdateGroup.SECURITY} else "",
            groups=tuple(groups),
            left_out=tuple(self.left_out),
            held_back=tuple(self.held),
            flaky=tuple(self.flaky),
            unfixed=tuple(self.unfixed),
            notes=tuple(self.notes),
            runs=self.runs,
        )

    def _require_named(self, before: Lock) -> None:
        unknown = [name for name in self.request.names if name not in before.versions()]
        if unknown:
            raise Refused(
                f"the lock has no package {list_some([clean(each, 60) for each in unknown], 3)} of an index",
                where="uv.lock",
                next_step=advice.NAME_LOCKED_PACKAGE(),
            )

    def _wants(self, name: str) -> bool:
        return not self.request.names or name in self.request.names

    def _plan_security(self, before: Lock) -> PlannedUpdates:
        """The lowest versions that fix what is known. No cool-down: the vulnerability is public already."""
        self.say("looking up known vulnerabilities")
        audit = self.resolver.audit(self.request.lock, patience=_PATIENCE)
        self.notes += [clean(each, 300) for each in audit.notes]
        locked = before.single()
        wanted: dict[str, Version] = {}
        for each in audit.vulnerabilities:
            if not self._wants(each.package):
                continue
            old = locked.get(each.package)
            fixes = _later(each.fixed, old.version) if old is not None else []
            if old is None or old.version != each.version or not fixes:
                self.unfixed.append(clean(f"{each.package} {each.version}: {each.id} {each.summary}".strip(), 200))
                continue
            wanted[each.package] = max(fixes[0], wanted.get(each.package, fixes[0]))
        updates = tuple(
            Update(name=name, before=locked[name].version, after=str(fix), group=UpdateGroup.SECURITY)
            for name, fix in sorted(wanted.items())
        )
        return PlannedUpdates(updates=updates, allowed={})

    def _plan_by_size(self, before: Lock, urgent: set[str]) -> dict[UpdateGroup, PlannedUpdates]:
        """What can be updated, in minor and major steps, and what the project's bounds hold back."""
        self.say("resolving")
        names = self.request.names
        # What is locked already may stay, however new: otherwise a bound that needs it could not be met.
        until = self.request.until
        later = {
            each.name: each.uploaded + timedelta(seconds=1)
            for each in before.packages
            if until is not None and each.uploaded is not None and each.uploaded >= until
        }
        made = self.resolver.upgrade(self.request.lock, names=names, until=until, later=later)
        if isinstance(made, Unresolved):
            raise Refused(
                f"the lock cannot be upgraded: {made.why}", where="uv.lock", next_step=advice.RESOLVE_UPGRADE()
            )
        plan = read_lock(made)
        found = difference(before, plan)
        for name in found.several:
            self.notes.append(f"{name} has several versions, for different systems or Pythons, and is not updated here")
        old, new = before.single(), plan.single()
        groups: dict[UpdateGroup, list[Update]] = {group: [] for group in ORDER[1:]}
        for move in found.raised:
            group = group_of(move, old[move.name], new[move.name])
            if move.name not in urgent and self._wants(move.name):
                groups[group].append(Update(name=move.name, before=move.before, after=move.after, group=group))
        allowed = {name: each.version for name, each in new.items()}
        majors = frozenset(each.name for each in groups[UpdateGroup.MAJOR])
        self.held += self._held(before, plan, until, later)
        return {
            group: PlannedUpdates(
                updates=tuple(updates),
                allowed=allowed,
                later_groups=majors if group is UpdateGroup.MINOR else frozenset(),
            )
            for group, updates in groups.items()
            if group in self.request.groups
        }

    def _held(
        self, before: Lock, plan: Lock, until: datetime | None, later: Mapping[str, datetime]
    ) -> tuple[HeldBack, ...]:
        free, bounds = without_caps(self.request.pyproject)
        if not bounds:
            return ()
        made = self.resolver.upgrade(
            self.request.lock, names=self.request.names, until=until, later=later, pyproject=free
        )
        if isinstance(made, Unresolved):
            self.notes.append("it is not known what the bounds in pyproject.toml hold back: nothing resolves without")
            return ()
        return tuple(each for each in held_back(before, plan, read_lock(made), bounds) if self._wants(each.name))

    def _require_passing(self) -> None:
        """Run the tests with the unchanged lock."""
        self.say("testing the unchanged lock")
        self.runs += 1
        tried = self.tests.run(self.request.lock)
        if not tried.passed:
            raise CheckFailed(
                f"the tests fail before anything is updated, so they cannot judge updates: {tried.why}",
                where="uv.lock",
                next_step=advice.MAKE_TESTS_PASS(),
            )

    def _try_group(self, group: UpdateGroup, planned: PlannedUpdates, lock: bytes) -> TestedGroup | None:
        """Try the updates of a group: majors one by one, the others as a batch."""
        batch = _Batch(update=self, planned=planned, start=lock, passed=lock, names=_names(planned.updates))
        halving: Halving[Update] = Halving(batch.attempt)
        if group is UpdateGroup.MAJOR:
            for each in planned.updates:
                halving.add([each])
        else:
            halving.add(planned.updates)
        self.left_out += [OmittedUpdate(update=update, why=why) for update, why in halving.blamed]
        self.flaky += halving.flaked
        if batch.passed == lock:
            return None
        return _tested(group, halving.kept, before=lock, after=batch.passed)


def _later(texts: Sequence[str], version: str) -> list[Version]:
    """The versions among the texts that are later than one, the lowest first."""
    found = [each for text in texts if (each := version_in(text)) is not None]
    return sorted(each for each in found if each > Version(version))


def _names(updates: Sequence[Update]) -> frozenset[str]:
    return frozenset(each.name for each in updates)


def _tested(group: UpdateGroup, kept: Sequence[Update], *, before: bytes, after: bytes) -> TestedGroup:
    """What a group changes: an update that came along already with an earlier one counts once."""
    found = difference(read_lock(before), read_lock(after))
    raised = {each.name: each for each in found.raised}
    updates = tuple(
        Update(name=each.name, before=raised[each.name].before, after=raised[each.name].after, group=group)
        for each in sorted(kept, key=lambda each: each.name)
        if each.name in raised
    )
    others: list[Move] = [each for each in found.raised if each.name not in _names(updates)]
    return TestedGroup(group=group, updates=updates, also=(*others, *found.added, *found.removed), lock=after.decode())


@dataclass(kw_only=True)
class _Batch:
    """The attempts of one group, from the lock ``start``. ``passed`` is the last lock that passed."""

    update: LockUpdate
    planned: PlannedUpdates
    start: bytes
    passed: bytes
    names: frozenset[str]

    def attempt(self, items: Sequence[Update]) -> Trial:
        """Resolve with these updates, and run the tests if the lock is another one than what passed last."""
        made = self._resolve(items)
        if isinstance(made, Unresolved):
            return Trial(state=TrialState.UNRESOLVED, why=made.why)
        if made == self.passed:
            return Trial(state=TrialState.PASSED)
        self.update.say(f"testing {count_of(len(items), 'update')}: {list_some([str(each) for each in items], 4)}")
        self.update.runs += 1
        tried = self.update.tests.run(made)
        if not tried.passed:
            return Trial(state=TrialState.FAILED, why=tried.why)
        self.passed = made
        return Trial(state=TrialState.PASSED)

    def _resolve(self, items: Sequence[Update]) -> bytes | Unresolved:
        """Apply updates. What they drag along gets the planned version, which is old enough."""
        allowed = self.planned.allowed
        start = read_lock(self.start)
        known = start.versions()
        pins = {each.name: each.after for each in items}
        pins |= {name: version for name, version in allowed.items() if name not in known}
        for _ in range(_ROUNDS):
            made = self.update.resolver.apply(self.start, [f"{name}=={version}" for name, version in pins.items()])
            if isinstance(made, Unresolved):
                return made
            found = difference(start, read_lock(made))
            if found.lowered:
                return Unresolved(why=f"{found.lowered[0].name} would fall to {found.lowered[0].after}")
            moved = [*found.raised, *found.added]
            ahead = [each for each in moved if each.name in self.planned.later_groups]
            if ahead:
                return Unresolved(why=f"it needs {ahead[0].name} {ahead[0].after}, which is a major update")
            new = {
                each.name: allowed[each.name]
                for each in moved
                if each.name in allowed and each.after != allowed[each.name] and each.name not in pins
            }
            if not new:
                return self._within(moved, pins, made)
            pins |= new
        return Unresolved(why="its requirements lead to other versions each time")

    def _within(self, moved: Sequence[Move], pins: Mapping[str, str], made: bytes) -> bytes | Unresolved:
        """Refuse a version that nobody planned: it may be newer than the cool-down allows."""
        if not self.planned.allowed:
            return made  # security has no cool-down
        for each in moved:
            if each.after not in {pins.get(each.name), self.planned.allowed.get(each.name)}:
                return Unresolved(why=f"it needs {each.name} {each.after}, which is too new")
        return made
