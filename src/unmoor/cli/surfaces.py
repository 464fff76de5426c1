"""Read the surfaces of a release for the commands that compare them: ``status``, ``undo`` and ``watch``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import output
from unmoor.cli.session import Session
from unmoor.config.settings import Settings
from unmoor.errors import ConfigError, Denied, Unknown
from unmoor.images.image_plan import ImagePlan
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.registry import Registry
from unmoor.products import Release
from unmoor.products.surface_state import SurfaceState
from unmoor.project import read_facts
from unmoor.publish.inventory import Inventory, OwnManifest, take_inventory
from unmoor.publish.latest import is_latest
from unmoor.publish.surface_states import SurfaceStates
from unmoor.util.text import clean
from unmoor.util.values import replace
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming


class TagSurfaces(msgspec.Struct, frozen=True, kw_only=True):
    """The surfaces of one tag, and what they are read with.

    ``own`` returns the manifest of this machine. ``staging`` is ``None`` for a release without a staging index.
    """

    tag: str
    repository: str
    settings: Settings
    git: Git
    forge: Forge
    index: Index
    staging: Index | None
    registry: Callable[[str], Registry]
    plans: Sequence[ImagePlan]
    own: Callable[[], OwnManifest]

    @classmethod
    def of(cls, opened: Session) -> TagSurfaces:
        """Those of a session's tag and world."""
        request, services = opened.request, opened.services
        return cls(
            tag=request.tag,
            repository=request.repository,
            settings=request.settings,
            git=services.git,
            forge=services.forge,
            index=services.index,
            staging=request.staging(services),
            registry=services.registry,
            plans=request.image_plans(services),
            own=partial(own_manifest, request.folder),
        )

    def inventory(self) -> Inventory:
        """Read every surface. Raises `Refused` for a tag of another project, `ConfigError`."""
        return take_inventory(
            self.describe_release(),
            git=self.git,
            forge=self.forge,
            index=self.index,
            staging=self.staging,
            plans=self.plans,
            own=self.own(),
        )

    def states(self, inventory: Inventory) -> tuple[SurfaceState, ...]:
        """Judge every surface. Images are judged by the release at the commit that was released."""
        return SurfaceStates(
            inventory=inventory,
            forge=self.forge,
            registry=self.registry,
            plans=self.plans,
            highest=partial(self.released, inventory),
        ).read()

    def released(self, inventory: Inventory) -> Release:
        """The release of an inventory, with its date, and whether it is the highest. Raises `Unknown`."""
        release = inventory.release
        return replace(release, date=self.git.date_of(release.commit), highest=self._is_highest(release))

    def describe_release(self) -> Release:
        """The release as this checkout knows it. The commit is empty if the checkout lacks the tag."""
        commit = self.git.tags().get(self.tag, "")
        at = commit or self.git.head()
        name = self.settings.project
        if not name and at:
            name = read_facts(partial(self.git.read, at)).name
        prefix = self._naming(name).prefix_of(self.tag)
        version = pep440.read_tag(self.tag, prefix=prefix)
        return Release(
            repository=self.repository,
            project=name,
            tag=self.tag,
            version=str(version),
            commit=commit,
            date=self.git.date_of(commit) if commit else 0,
            prerelease=version.is_prerelease,
            highest=False,
            prefix=prefix,
            path=self.git.path,
        )

    def _is_highest(self, release: Release) -> bool:
        """Whether a release is the highest final version. Raises `Unknown` if that cannot be determined."""
        return is_latest(
            pep440.read_tag(release.tag, prefix=release.prefix),
            (),
            project=release.project,
            naming=self._naming(release.project).for_prefix(release.prefix),
            index=self.index,
            forge=self.forge,
            moves=True,
            warn=output.err,
        )

    def _naming(self, project: str) -> Naming:
        return Naming(configured=self.settings.tag_prefix, project=lambda: project, in_folder=bool(self.git.path))


def own_manifest(folder: RunFolder) -> OwnManifest:
    """The manifest of this machine if it counts, and what tells whether another one counts.

    One in the run folder does not count if only its signature could decide, and that cannot be judged.
    """
    where = str(folder.path)
    try:
        folder.unvouched()
    except (ConfigError, Denied, Unknown) as error:
        output.err(f"warning: what is in {clean(where)} is ignored: {clean(error.in_brief(where=True))}")
        return OwnManifest(manifest=None, where=where, belief=folder.belief)
    return OwnManifest(manifest=folder.read_known(), where=where, belief=folder.belief)
