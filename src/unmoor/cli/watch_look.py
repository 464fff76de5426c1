"""Look at the releases of a project for ``unmoor watch``: choose the tags, read lists, compare some with manifests."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.factory import ListedServices
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output
from unmoor.cli.resolve_project import ResolvedProject
from unmoor.cli.run_options import RunOptions
from unmoor.cli.surfaces import TagSurfaces
from unmoor.cli.watch_surfaces import ManySurfaces, floating_tags
from unmoor.errors import Internal, Interrupted, Refused, UnmoorError
from unmoor.ports.forge import ForgeRelease
from unmoor.ports.index import Holding
from unmoor.ports.world import World
from unmoor.products.drift import MAY_BE_RUNNING, DriftFinding, NotKnown, RunningTag
from unmoor.project import read_facts
from unmoor.project.locate import naming_at
from unmoor.publish.compare import FORGE
from unmoor.publish.drift import project as project_drift
from unmoor.publish.drift.one_release import TagDrift, TagRules, yanked
from unmoor.publish.drift.project import Versions
from unmoor.publish.drift.scope import (
    MOST_COMPARED,
    Closeness,
    WatchedTag,
    WatchScope,
    closeness,
    grouped,
    scope_of,
)
from unmoor.publish.inventory import IndexContent
from unmoor.publish.surface_states import TAG
from unmoor.util.asked_once import AskedOnce
from unmoor.util.concurrency import run_parallel
from unmoor.util.text import clean, count_of
from unmoor.util.values import replace

T = TypeVar("T")
_AT_ONCE = 4
_MOST_RUNS = 20
"""For how many tags the runs of workflows are asked for."""
_TELL_EVERY = 25


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at the releases found. ``known`` is how many tags the project has."""

    tags: tuple[str, ...]
    known: int
    compared: int
    findings: tuple[DriftFinding, ...]
    unknown: tuple[NotKnown, ...]
    running: tuple[RunningTag, ...]


@dataclass(frozen=True, kw_only=True)
class ProjectWatch:
    """One look at the releases of a project. Every list is read once, and kept with the error that it ended in."""

    project: ResolvedProject
    world: World
    services: ListedServices
    processes: Processes
    options: RunOptions
    most: int = MOST_COMPARED
    _once: AskedOnce = field(default_factory=AskedOnce, init=False, repr=False)
    _unread: list[NotKnown] = field(default_factory=list, init=False, repr=False)

    def look(self, named: Sequence[str], *, since: float, also: Collection[str] = ()) -> Seen:
        """Look at the named tags, else at those made since a time and at the highest release; and at those in ``also``.

        Raises `Refused` for a named tag that is not there or is not the project's.
        """
        scope = self._scope(named, since=since, also=also)
        chosen = closeness(scope.tags, self._agrees, first=self._highest, most=self.most)
        output.err(_opening(scope, chosen))
        drifts = self._compared(chosen.compared)
        findings = [*self._of_project(scope), *(each for tag in chosen.by_lists for each in self._of_lists(tag))]
        findings += [each for drift in drifts for each in drift.findings]
        running, unclear = self._running(findings)
        explained = {*(each.tag for each in running), *(tag for each in unclear for tag in each.tags)}
        order = {tag: place for place, tag in enumerate(("", *(each.tag for each in scope.tags)))}
        counting = [each for each in findings if each.tag not in explained or each.finding not in MAY_BE_RUNNING]
        unknown = [*self._unread, *scope.unknown, *unclear, *(each for drift in drifts for each in drift.unknown)]
        return Seen(
            tags=tuple(each.tag for each in scope.tags),
            known=scope.known,
            compared=len(chosen.compared),
            findings=tuple(sorted(counting, key=lambda each: order.get(each.tag, len(order)))),
            unknown=grouped([*unknown, *_left(chosen, self.most)]),
            running=running,
        )

    def _scope(self, named: Sequence[str], *, since: float, also: Collection[str]) -> WatchScope:
        git = self.services.git
        local = git.tags()
        remote = self._read(TAG, git.remote_tags, None)
        tags = {**local, **(remote or {}), **{each.tag: "" for each in self._releases}}
        naming = naming_at(self.project.checkout, self.project.commit, self.project.sources)
        for tag in named:
            naming.prefix_of(tag)
            if tag not in tags:
                raise Refused(
                    f"there is no tag {clean(tag)}, neither here nor on the remote, and no release of it",
                    where=str(git.folder),
                    next_step=advice.NAME_A_TAG(),
                )
        versions = {tag: version for tag, (_, version) in naming.known(tags).items()}
        self._once("versions", lambda: versions)
        return scope_of(
            versions,
            local=local,
            remote=remote,
            times=git.tag_times(),
            released=[each.tag for each in self._releases],
            named=named,
            since=since,
            also=also if named else {*also, self._highest},
        )

    @cached_property
    def _releases(self) -> tuple[ForgeRelease, ...]:
        """Every release on the forge; none if it cannot be read."""
        return self._read(FORGE, self.services.forge.every_release, ())

    @cached_property
    def _by_tag(self) -> Mapping[str, Sequence[ForgeRelease]]:
        found: dict[str, list[ForgeRelease]] = {}
        for each in self._releases:
            found.setdefault(each.tag, []).append(each)
        return found

    @cached_property
    def _name(self) -> str:
        """The name of the project, as its last commit has it."""
        project = self.project
        if project.settings.project or project.commit is None:
            return project.settings.project
        return read_facts(partial(project.checkout.read, project.commit)).name

    @cached_property
    def _files(self) -> Versions:
        """The files of the project on the index; none if it cannot be read."""
        return self._files_of(self._name)

    def _files_of(self, project: str) -> Versions:
        nothing: Versions = {}
        return self._read(self.services.index.name, lambda: self.services.index.files(project), nothing)

    @cached_property
    def _highest(self) -> str:
        """The tag of the highest release; empty if there is none."""
        versions: Mapping[str, Version] = self._once("versions", dict)
        public = {each.tag: versions[each.tag] for each in self._releases if not each.draft and each.tag in versions}
        return project_drift.highest_tag(public, self._files)

    def _read(self, surface: str, ask: Callable[[], T], otherwise: T) -> T:
        """Ask, and note as unknown what cannot be read."""
        try:
            return ask()
        except (Interrupted, Internal):
            raise
        except UnmoorError as error:
            self._unread.append(NotKnown(surface=surface, why=error.in_brief(where=True), tags=()))
            return otherwise

    def _agrees(self, tag: WatchedTag) -> bool:
        """Whether the lists prove that the files of a release are as they should be."""
        releases = self._by_tag.get(tag.tag, ())
        files = self._files.get(tag.version, {})
        return bool(tag.commit) and project_drift.agrees_by_lists(
            releases, files, version=tag.version, commit=tag.commit
        )

    def _of_project(self, scope: WatchScope) -> Iterator[DriftFinding]:
        """What is wrong with the project as a whole, and with the highest release if that is looked at."""
        index, forge = self.services.index, self.services.forge
        yield from project_drift.project_findings(
            index.name, self._read(index.name, lambda: index.status(self._name), None)
        )
        highest = self._highest
        if highest not in {each.tag for each in scope.tags}:
            return
        latest = self._read(FORGE, forge.latest, highest or None)
        if latest is not None and latest not in {each.tag for each in self._releases if not each.draft}:
            # A release that was made since the list was read is no drift, and the list is too old to judge by.
            why = f"{clean(latest)} became the latest release while releases were read"
            self._unread.append(NotKnown(surface=FORGE, why=why, tags=()))
            return
        # A repository has one latest release. It may be that of another project in it.
        if not self.services.git.path or latest in self._once("versions", dict):
            yield from project_drift.latest_findings(latest, highest, command=self.options.release_command(highest))

    def _of_lists(self, tag: WatchedTag) -> Iterator[DriftFinding]:
        """What the lists show of a release that is as it should be otherwise."""
        index = self.services.index
        files = self._files.get(tag.version, {})
        page = index.page.replace("{project}", self._name).replace("{version}", str(tag.version))
        yield from yanked(tag.tag, IndexContent(name=index.name, page=page, holding=Holding(simple=files, json=None)))
        yield from self._unattested(tag, self._name)

    def _compared(self, tags: Sequence[WatchedTag]) -> tuple[TagDrift, ...]:
        """Compare releases with their manifests, a few at once, and say from time to time how far that is."""
        found: dict[str, TagDrift] = {}

        def compare(tag: WatchedTag) -> None:
            found[tag.tag] = self._compare_or_unknown(tag)
            if len(found) % _TELL_EVERY == 0 and len(found) < len(tags):
                output.err(f"{len(found)} of {count_of(len(tags), 'tag')} compared")

        for error in run_parallel(tags, compare, width=_AT_ONCE):
            raise error
        return tuple(found[tag.tag] for tag in tags)

    def _compare_or_unknown(self, tag: WatchedTag) -> TagDrift:
        try:
            return self._compare(tag)
        except (Interrupted, Internal):
            raise
        except UnmoorError as error:
            why = NotKnown(surface="settings", why=error.in_brief(where=True), tags=(tag.tag,))
            return TagDrift(tag=tag.tag, unknown=(why,))

    def _compare(self, tag: WatchedTag) -> TagDrift:
        """Judge one release as `status` does. Raises `ConfigError` for settings that it cannot read."""
        plain, signed = self._surfaces.of(tag)
        drift = self._judge(tag, plain)
        # Whether the manifest is vouched for decides only how to go on, so few signatures are judged.
        return self._judge(tag, signed) if drift.findings and signed is not None else drift

    @cached_property
    def _surfaces(self) -> ManySurfaces:
        return ManySurfaces(project=self.project, world=self.world, services=self.services, processes=self.processes)

    def _judge(self, tag: WatchedTag, surfaces: TagSurfaces) -> TagDrift:
        """Read the surfaces of a release, and judge them."""
        index = self.services.index
        inventory = surfaces.inventory()
        project = inventory.release.project
        status = self._once(("status", project), lambda: self._read(index.name, lambda: index.status(project), None))
        drift = TagRules(
            inventory=inventory,
            states=surfaces.states(inventory),
            floating=floating_tags(surfaces, inventory),
            command=self.options.release_command(tag.tag),
            highest=self.options.release_command(self._highest or tag.tag),
            optional={each.name for plan in surfaces.plans if plan.optional for each in plan.registries},
            is_quarantined=status is not None and status.marker == "quarantined",
        ).judge()
        return replace(drift, findings=(*drift.findings, *self._unattested(tag, project)))

    def _unattested(self, tag: WatchedTag, project: str) -> Iterator[DriftFinding]:
        files = (
            self._files if project == self._name else self._once(("files", project), lambda: self._files_of(project))
        )
        attested = self._once(("attested", project), lambda: project_drift.attested_versions(files))
        yield from project_drift.attestation_findings(
            tag.tag, tag.version, self.services.index.name, files.get(tag.version, {}), attested
        )

    def _running(self, findings: Iterable[DriftFinding]) -> tuple[tuple[RunningTag, ...], tuple[NotKnown, ...]]:
        """The tags of which a run goes on, of those that look as if one had stopped, and those where nobody knows."""
        stopped = tuple(dict.fromkeys(each.tag for each in findings if each.finding in MAY_BE_RUNNING))
        running: list[RunningTag] = []
        for tag in stopped[:_MOST_RUNS]:
            try:
                runs = self.services.forge.active_runs(tag)
            except (Interrupted, Internal):
                raise
            except UnmoorError as error:
                why = f"not released, unless a run is still about it: {error.in_brief(where=True)}"
                return tuple(running), (NotKnown(surface=FORGE, why=why, tags=stopped),)
            if runs:
                running.append(RunningTag(tag=tag, url=runs[0].url))
        return tuple(running), ()


def _opening(scope: WatchScope, chosen: Closeness) -> str:
    looked_at = f"looking at {len(scope.tags)} of {count_of(scope.known, 'tag')}"
    if not chosen.by_lists and not chosen.left:
        return looked_at
    return f"{looked_at}, {len(chosen.compared)} of them by their manifests, the others by lists"


def _left(chosen: Closeness, most: int) -> Iterator[NotKnown]:
    if chosen.left:
        why = f"not compared with their manifests: one run compares {most}, so name the tags, or take a later --since"
        yield NotKnown(surface=FORGE, why=why, tags=tuple(each.tag for each in chosen.left))
