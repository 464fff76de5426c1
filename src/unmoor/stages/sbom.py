"""The stage ``sbom``: describe each wheel and what it needs in a software bill of materials, beside the tests.

The index resolves other versions on another day, so a bill of materials is made once: the manifest lists it, and every
later run uses those bytes. An sdist gets none: nobody knows what it needs before it is built.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import is_intact
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Build, Output, StageContext
from unmoor.dists.testing.install_test import interpreter_for
from unmoor.dists.testing.interpreters import AUTO
from unmoor.errors import Conflict, Incomplete, Interrupted, UnmoorError
from unmoor.filesystem.commands import remove_command
from unmoor.ports.environments import Environments
from unmoor.ports.forge import Forge
from unmoor.ports.resolver import Resolver
from unmoor.ports.services import Services
from unmoor.products import Dists, File, Release, Sboms, Tool
from unmoor.products.sboms import SUFFIX
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.release_request import ReleaseRequest
from unmoor.sbom.wheel import Resolutions, WheelContent
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace

# Each resolution waits for the network most of the time.
_AT_ONCE = max(2, os.cpu_count() or 1)


@dataclass(frozen=True, kw_only=True)
class DescribeWheels(Build[Sboms]):
    """Resolves what each wheel needs and writes it as CycloneDX. ``required``: it stops if one cannot be made.

    ``python`` is the interpreter to resolve for, unless a wheel is for another one.
    """

    name: str = "sbom"
    release: Output[Release]
    dists: Output[Dists]
    environments: Environments
    resolver: Resolver
    forge: Forge
    folder: RunFolder
    python: str = AUTO
    required: bool = False

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release], dists: Output[Dists]) -> Self:
        """Build the stage for a request."""
        building = request.settings.building
        return cls(
            release=release,
            dists=dists,
            environments=services.environments,
            resolver=services.resolver.under(building.constraints, builds=not request.no_project_code),
            forge=services.forge,
            folder=request.folder,
            python=building.python,
            required=request.settings.sbom == "required",
        )

    def plan(self) -> str:
        """Say what would be resolved and written."""
        return f"resolve what each wheel needs, and write it as CycloneDX to {self.folder.sboms}"

    def find(self, context: StageContext) -> Sboms | None:
        """Return what the manifest of these files lists, or what this run folder has for every wheel.

        A complete manifest never changes: what it does not list is not made any more. Raises `Conflict` if that is
        required, or if a release holds other bytes; `Incomplete` if it holds none; `Denied` and `Unknown`.
        """
        dists = context[self.dists]
        if not dists.vouched:
            return Sboms(why_not="the files are public already, and not vouched for", frozen=True)
        frozen = self._frozen(context)
        if frozen is None:
            known = self._kept(dists)
            return Sboms(files=tuple(known.values())) if dists.wheels and len(known) == len(dists.wheels) else None
        listed = frozen.sbom_files(self.folder.sboms)
        lacking = _without(dists, {each.name for each in listed})
        if lacking and self.required:
            raise Conflict(
                f"the manifest of these files is complete, and lists no SBOM of {list_some(lacking)}",
                where=str(self.folder.path),
                next_step=self._way_out(context[self.release].tag),
            )
        self._fetch([each for each in listed if not is_intact(each)], context)
        why = f"the manifest was completed without an SBOM of {list_some(lacking)}" if lacking else ""
        return Sboms(files=listed, why_not=why, frozen=True)

    def make(self, context: StageContext) -> Sboms:
        """Describe every wheel that is not described yet, and record that in the run folder.

        Without ``required``, what cannot be made is a warning. Raises `CheckFailed` if the dependencies do not fit
        together, and what a resolver raises: `Unknown`, `Denied`, `ToolMissing`, `Conflict`.
        """
        dists = context[self.dists]
        if not dists.wheels:
            return Sboms(why_not="there is no wheel")
        made = dict(self._kept(dists))
        failures: dict[str, UnmoorError] = {}
        wanted = [wheel for wheel in dists.wheels if f"{wheel.name}{SUFFIX}" not in made]
        for wheel, data in self._describe(wanted, failures, context).items():
            made[f"{wheel}{SUFFIX}"] = self.folder.write_sbom(f"{wheel}{SUFFIX}", data)
        files = tuple(made[name] for name in sorted(made))
        self._record(Sboms(files=files))
        return Sboms(files=files, why_not=self._report(failures, context))

    def _describe(
        self, wheels: Iterable[File], failures: dict[str, UnmoorError], context: StageContext
    ) -> Mapping[str, bytes]:
        """Return the bill of materials of each wheel, and put the error of any other into ``failures``.

        Raises the first error if they are required.
        """
        from unmoor.sbom.document import write  # and the library that writes them
        from unmoor.sbom.targets import target_of

        found: dict[str, bytes] = {}
        with ThreadPoolExecutor(_AT_ONCE, "sbom") as pool:
            resolutions = Resolutions(self.resolver, pool)
            try:
                python = interpreter_for(self.environments, context[self.dists], self.python)
                targets = {wheel: target_of(wheel, python) for wheel in wheels}
                for wheel, target in targets.items():
                    resolutions.begin(wheel, target)
                # Loads the library while the resolver waits for the network.
                pool.submit(importlib.import_module, "cyclonedx.output.json")
            except UnmoorError as error:
                return self._failed(context[self.dists].wheels, error, failures, found)
            for wheel, target in targets.items():
                try:
                    content = resolutions.content(wheel, target)
                    found[wheel.name] = write(content, date=context[self.release].date, tools=_tools())
                    _warn_of(content, context)
                except UnmoorError as error:
                    self._failed((wheel,), error, failures, found)
        return found

    def _failed(
        self,
        wheels: Iterable[File],
        error: UnmoorError,
        failures: dict[str, UnmoorError],
        found: Mapping[str, bytes],
    ) -> Mapping[str, bytes]:
        """Keep the error of wheels. Raises it if bills of materials are required, or if the run is to end."""
        if self.required or isinstance(error, Interrupted):
            raise error
        failures.update((wheel.name, error) for wheel in wheels)
        return found

    def _report(self, failures: Mapping[str, UnmoorError], context: StageContext) -> str:
        """Warn about what is not made, and return why in few words."""
        if not failures:
            return ""
        error = next(iter(failures.values()))
        names = list_some(list(failures))
        context.warn(
            f"no SBOM of {names}: {clean(str(error), 500)}. The release goes on without, and gets none later:"
            ' set sbom = "required" to stop instead'
        )
        return f"none of {names}: {clean(error.what.partition(chr(10))[0], 200)}"

    def _frozen(self, context: StageContext) -> Manifest | None:
        """The complete manifest of these files, ``None`` if there is none yet."""
        known = self.folder.read_manifest()
        if known is None or not known.is_of(context[self.release]) or not known.is_complete(manifests.PROOF):
            return None
        ours = {(file.name, file.sha256) for file in context[self.dists].files}
        return known if {(each.name, each.sha256) for each in known.artifacts} == ours else None

    def _way_out(self, tag: str) -> NextStep:
        """What to do about a complete manifest that lacks something."""
        if self.forge.public(tag) is not None:
            return advice.RELEASE_NEW_VERSION(why="a manifest never changes once it is complete")
        return advice.BEGIN_AGAIN(command=remove_command(self.folder.path))

    def _kept(self, dists: Dists) -> Mapping[str, File]:
        """What is documented of these wheels and still there, by name."""
        listed = (
            File(name=each.name, sha256=each.sha256, size=each.size, path=self.folder.sboms / each.name)
            for each in self.folder.documented_sboms(dists.wheels)
        )
        return {file.name: file for file in listed if is_intact(file)}

    def _record(self, sboms: Sboms) -> None:
        """Record them with the built files, so that the next run uses the same."""
        if sboms.files:
            self.folder.add_to_build(lambda known: replace(known, sboms=sboms.assets))

    def _fetch(self, missing: Iterable[File], context: StageContext) -> None:
        """Fetch what the manifest lists from the release of the tag into the run folder. Raises as `find` does."""
        missing = tuple(missing)
        if not missing:
            return
        tag = context[self.release].tag
        public = self.forge.public(tag)
        there = (
            *([public] if public is not None else ()),
            *(self.forge.releases(tag) if self.forge.has_token() else ()),
        )
        for wanted in missing:
            assets = ((each, find_asset(each, wanted.name)) for each in there)
            held = [(each, asset) for each, asset in assets if asset is not None and asset.uploaded]
            if not held:
                raise Incomplete(
                    f"the manifest lists {wanted.name}, but neither the run folder nor a release of {tag} holds it",
                    where=str(self.folder.sboms),
                    next_step=advice.HAND_OVER_EVERY_FILE(),
                )
            data = content_of(held[0][1], self.forge)
            if sha256(data).hexdigest() != wanted.sha256:
                raise Conflict(
                    f"{wanted.name} has sha256 {sha256(data).hexdigest()}, but the manifest lists {wanted.sha256}",
                    where=held[0][0].url,
                    next_step=advice.DELETE_OTHER_DRAFT(),
                )
            self.folder.write_sbom(wanted.name, data)


def _without(dists: Dists, names: set[str]) -> list[str]:
    """The wheels that have no bill of materials among ``names``."""
    return [wheel.name for wheel in dists.wheels if f"{wheel.name}{SUFFIX}" not in names]


def _warn_of(content: WheelContent, context: StageContext) -> None:
    """Warn about what a wheel brings along that cannot be read, and about extras that nobody can install."""
    for each in content.embedded:
        if each.fault:
            context.warn(
                f"{content.file.name}: the SBOM {clean(each.path)} in it (PEP 770) does not count: {each.fault}"
            )
    for extra, why in content.unsolved.items():
        context.warn(f"{content.file.name}: the SBOM has nothing of the extra {clean(extra)}: {why}")


def _tools() -> tuple[Tool, ...]:
    try:
        from unmoor._version import version
    except ImportError:
        version = "0"
    return (Tool(name="unmoor", version=version),)
