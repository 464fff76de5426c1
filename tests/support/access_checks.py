"""A forge and indexes in memory, and one check over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from packaging.version import Version
from tests.support.checked import context_of
from tests.support.repository_rules import FakeRules

from unmoor.checks.model import CheckContext, CheckResult, RepositoryCheck
from unmoor.checks.running import run_checks
from unmoor.errors import UnmoorError
from unmoor.ports.forge import ForgeRepository
from unmoor.ports.index import AttestedBy, Holding, ListedFile, ProjectStatus, Publisher
from unmoor.ports.services import Services

PYPROJECT = '[project]\nname = "demo"\nversion = "1.0"\n'
ACTIVE = ProjectStatus()
WHOLE = ForgeRepository(full_name="acme/demo", private=False, archived=False, can_push=True)


@dataclass(frozen=True)
class FakeIndex:
    """An index with one project. ``uploaded`` are the publishers of its newest version, none if it does not say."""

    name: str = "pypi"
    there: ProjectStatus | UnmoorError | None = ACTIVE
    released: Sequence[str] = ("1.0", "1.2")
    uploaded: tuple[Publisher, ...] = ()

    def status(self, project: str) -> ProjectStatus | None:
        """The status of the project."""
        assert project == "demo"
        if isinstance(self.there, UnmoorError):
            raise self.there
        return self.there

    def versions(self, _project: str) -> Mapping[Version, bool]:
        """Every version."""
        return {Version(each): False for each in self.released}

    def holding(self, _project: str, version: str) -> Holding:
        """One file of the version, with attestations if the index says who uploaded it."""
        assert version == max(self.released, key=Version)
        file = ListedFile(name="demo.whl", url="", sha256=None, provenance="there" if self.uploaded else "")
        return Holding(simple={file.name: file}, json=None)

    def provenance(self, _listed: ListedFile) -> tuple[AttestedBy, ...]:
        """Who uploaded the file."""
        return tuple(AttestedBy(publisher=each, bundles=()) for each in self.uploaded)


@dataclass(frozen=True)
class Surroundings:
    """What a check of access asks. ``seen`` is the repository, or the error of reading it."""

    rules: FakeRules = field(default_factory=FakeRules)
    seen: ForgeRepository | UnmoorError = WHOLE
    index: FakeIndex = field(default_factory=FakeIndex)
    staging: FakeIndex | None = field(default_factory=lambda: FakeIndex(name="testpypi"))
    settings: str = ""

    def repository(self) -> ForgeRepository:
        """The repository as the forge shows it."""
        if isinstance(self.seen, UnmoorError):
            raise self.seen
        return self.seen

    @property
    def services(self) -> Services:
        """The ports."""
        forge = SimpleNamespace(has_token=self.rules.has_token, repository=self.repository)
        ports = SimpleNamespace(forge=forge, rules=self.rules, index=self.index, staging=self.staging)
        return cast("Services", ports)

    @property
    def context(self) -> CheckContext:
        """What the check gets."""
        files = {"pyproject.toml": f"{PYPROJECT}{self.settings}"}
        return context_of(files, services=lambda: self.services, repository=lambda: "acme/demo")

    def result(self, check: RepositoryCheck) -> CheckResult:
        """Run a check."""
        (result,) = run_checks(self.context, [check]).results
        return result

    def words(self, check: RepositoryCheck) -> tuple[str, str]:
        """The state of a check, and everything that it says."""
        found = self.result(check)
        return found.state.value, "\n".join((*(each.what for each in found.problems), *found.remarks, found.why))
