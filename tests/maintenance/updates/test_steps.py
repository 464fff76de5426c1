"""An update of a lock, step by step: with a resolver in memory, and tests that some versions break."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from packaging.version import Version
from tests.support.locks import lock_of

from unmoor.errors import CheckFailed, Refused, Unknown
from unmoor.maintenance.updates.groups import UpdateGroup
from unmoor.maintenance.updates.lock import read_lock
from unmoor.maintenance.updates.result import UpdateResult
from unmoor.maintenance.updates.steps import LockUpdate, UpdateRequest
from unmoor.ports.lock_updates import LockTried, Unresolved
from unmoor.ports.scanner import Audit, Vulnerability

ALL = frozenset(UpdateGroup)
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)


def packed(versions: Mapping[str, str]) -> bytes:
    """A lock with these versions."""
    return lock_of(*(f"{name} {version}" for name, version in sorted(versions.items())))


def unpacked(lock: bytes | str) -> dict[str, str]:
    """The versions in a lock."""
    data = lock.encode() if isinstance(lock, str) else lock
    return {name: found for name, (found, *_) in read_lock(data).versions().items()}


@dataclass
class Resolver:
    """Knows the newest version of each package that is old enough, those that are too new, and what needs what.

    ``needs`` are the versions that ``NAME VERSION`` needs at least. Without a pin, these come in their newest form.
    """

    newest: Mapping[str, str]
    too_new: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    audited: Audit | Unknown = field(default_factory=lambda: Audit(scanner="x", packages=1))
    current: bool = True

    def require_current(self, lock: bytes) -> None:
        """Refuse if told so."""
        del lock
        if not self.current:
            raise Refused("it does not fit")

    def upgrade(
        self,
        lock: bytes,
        *,
        names: Sequence[str] = (),
        until: datetime | None = None,
        later: Mapping[str, datetime] | None = None,
        pyproject: bytes | None = None,
    ) -> bytes | Unresolved:
        """Give everything the newest version, and add what that needs."""
        del until, later, pyproject
        versions = unpacked(lock)
        for name in names or list(versions):
            versions[name] = self.newest.get(name, versions[name])
        for name, version in list(versions.items()):
            for other in self.needs.get(f"{name} {version}", {}):
                versions[other] = self.newest[other]
        return packed(versions)

    def apply(self, lock: bytes, pins: Sequence[str]) -> bytes | Unresolved:
        """Give pinned packages their version, and what these need the newest one unless it is pinned as well."""
        pinned = dict(pin.split("==") for pin in pins)
        versions = unpacked(lock)
        versions |= {name: version for name, version in pinned.items() if name in versions}
        for name, version in list(versions.items()):
            for other, least in self.needs.get(f"{name} {version}", {}).items():
                present = versions.get(other)
                if other in pinned:
                    if Version(pinned[other]) < Version(least):
                        return Unresolved(why=f"{name} {version} needs {other}>={least}")
                    versions[other] = pinned[other]
                elif present is None or Version(present) < Version(least):
                    versions[other] = self.too_new.get(other, self.newest[other])
        return packed(versions)

    def audit(self, lock: bytes, *, patience: float) -> Audit:
        """Return what is known, or raise it."""
        del lock, patience
        if isinstance(self.audited, Unknown):
            raise self.audited
        return self.audited


@dataclass
class Suite:
    """Tests that fail with some versions, and with a set of versions that do not go together."""

    broken: Sequence[str] = ()
    tested: list[dict[str, str]] = field(default_factory=list)

    def run(self, lock: bytes) -> LockTried:
        """Fail if a broken version is locked."""
        versions = unpacked(lock)
        self.tested.append(versions)
        found = [each for each in self.broken if versions.get(each.split()[0]) == each.split()[1]]
        return LockTried(why=f"broken by {found[0]}" if found else "")


def update(
    before: Mapping[str, str],
    resolver: Resolver,
    suite: Suite,
    *,
    groups: frozenset[UpdateGroup] = ALL,
    names: tuple[str, ...] = (),
) -> UpdateResult:
    """Update a lock."""
    request = UpdateRequest(
        commit="a" * 40, path="", lock=packed(before), pyproject=b"", groups=groups, names=names, until=UNTIL
    )
    return LockUpdate(request=request, resolver=resolver, tests=suite, say=lambda _text: None).run()


def shown(result: UpdateResult) -> list[str]:
    """The updates and what comes with them, by group."""
    return [
        f"{group.group} {each}"
        for group in result.groups
        for each in (*(f"{one}" for one in group.updates), *(one.words for one in group.also))
    ]


def vulnerable(name: str, version: str, *fixed: str) -> Audit:
    """An audit that finds one vulnerability."""
    return Audit(
        scanner="x",
        packages=1,
        vulnerabilities=(Vulnerability(id="CVE-1", package=name, version=version, fixed=fixed),),
    )


def test_the_groups_build_on_each_other() -> None:
    """Security comes first and takes the lowest fix, then minor updates, then majors; each lock was tested as it is."""
    suite = Suite()
    resolver = Resolver(
        newest={"aa": "1.9", "bb": "1.2", "cc": "2.0"}, audited=vulnerable("aa", "1.0", "1.5", "1.7", "0.9")
    )
    result = update({"aa": "1.0", "bb": "1.0", "cc": "1.0"}, resolver, suite)
    assert shown(result) == ["security aa 1.0 -> 1.5", "minor bb 1.0 -> 1.2", "major cc 1.0 -> 2.0"]
    assert [unpacked(group.lock) for group in result.groups] == suite.tested[1:]
    assert result.runs == len(suite.tested) == 4


def test_a_cool_down_reaches_what_comes_along() -> None:
    """A package that an update needs gets the planned version, although a newer one is out; new packages, too."""
    resolver = Resolver(
        newest={"aa": "1.1", "bb": "1.5", "new": "1.0"},
        too_new={"bb": "1.9", "new": "1.9"},
        needs={"aa 1.1": {"bb": "1.5", "new": "1.0"}},
    )
    result = update({"aa": "1.0", "bb": "1.0"}, resolver, Suite(), names=("aa",), groups=ALL - {UpdateGroup.SECURITY})
    assert shown(result) == ["minor aa 1.0 -> 1.1", "minor bb 1.0 -> 1.5", "minor new 1.0 is added"]


def test_a_minor_update_does_not_bring_a_major_one() -> None:
    """It is left out with the reason; the major one is tried for itself."""
    resolver = Resolver(newest={"aa": "1.1", "bb": "2.0", "cc": "1.1"}, needs={"aa 1.1": {"bb": "2.0"}})
    result = update({"aa": "1.0", "bb": "1.0", "cc": "1.0"}, resolver, Suite())
    assert shown(result) == ["minor cc 1.0 -> 1.1", "major bb 1.0 -> 2.0"]
    assert [each.why for each in result.left_out] == ["it needs bb 2.0, which is a major update"]


def test_majors_are_tried_one_by_one() -> None:
    """One that breaks the tests is blamed after two failures, and the others land."""
    suite = Suite(broken=["bb 2.0"])
    before = dict.fromkeys(("aa", "bb", "cc"), "1.0")
    result = update(before, Resolver(newest=dict.fromkeys(before, "2.0")), suite)
    assert shown(result) == ["major aa 1.0 -> 2.0", "major cc 1.0 -> 2.0"]
    assert [(each.update.name, each.why) for each in result.left_out] == [("bb", "broken by bb 2.0")]
    assert result.runs == 1 + 1 + 2 + 1


def test_nothing_falls() -> None:
    """A plan that would lower a version does not touch it."""
    resolver = Resolver(newest={"aa": "0.9", "bb": "1.1"})
    assert shown(update({"aa": "1.0", "bb": "1.0"}, resolver, Suite())) == ["minor bb 1.0 -> 1.1"]


def test_no_updates_run_no_tests() -> None:
    """Without anything to try, even tests that fail are not run."""
    suite = Suite(broken=["aa 1.0"])
    result = update({"aa": "1.0"}, Resolver(newest={}), suite)
    assert (result.groups, suite.tested) == ((), [])


def test_tests_that_fail_already_judge_nothing() -> None:
    """The unchanged lock must pass first."""
    with pytest.raises(CheckFailed, match=r"before anything is updated.*broken by aa"):
        update({"aa": "1.0"}, Resolver(newest={"aa": "1.1"}), Suite(broken=["aa 1.0"]))


def test_an_audit_that_fails_is_unknown() -> None:
    """It never counts as one that finds nothing, and other groups do not need it."""
    resolver = Resolver(newest={"aa": "1.1"}, audited=Unknown("no answer"))
    with pytest.raises(Unknown):
        update({"aa": "1.0"}, resolver, Suite())
    assert shown(update({"aa": "1.0"}, resolver, Suite(), groups=frozenset({UpdateGroup.MINOR})))


def test_what_nothing_fixes_is_listed() -> None:
    """A vulnerability without a later fixed version is no update."""
    result = update({"aa": "1.0"}, Resolver(newest={}, audited=vulnerable("aa", "1.0", "0.9", "odd")), Suite())
    assert (result.groups, result.unfixed) == ((), ("aa 1.0: CVE-1",))


def test_names_limit_the_update() -> None:
    """Only the named packages are updated, and a name that is not locked is refused."""
    resolver = Resolver(newest={"aa": "1.1", "bb": "1.1"})
    assert shown(update({"aa": "1.0", "bb": "1.0"}, resolver, Suite(), names=("bb",))) == ["minor bb 1.0 -> 1.1"]
    with pytest.raises(Refused, match="no package zz"):
        update({"aa": "1.0"}, resolver, Suite(), names=("zz",))
    with pytest.raises(Refused, match="does not fit"):
        update({"aa": "1.0"}, Resolver(newest={}, current=False), Suite())


def test_the_result_is_plain_json() -> None:
    """A program can read it."""
    import msgspec

    result = update({"aa": "1.0"}, Resolver(newest={"aa": "1.1"}), Suite())
    found = json.loads(msgspec.json.encode(result))
    assert found["groups"][0]["updates"] == [{"name": "aa", "before": "1.0", "after": "1.1", "group": "minor"}]
