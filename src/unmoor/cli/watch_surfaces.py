"""What the surfaces of many tags are read with: each has the settings of its own commit, and all the same ports."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from unmoor.adapters.factory import ListedServices, open_listed_registry
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.system import this_system
from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import RunFolder
from unmoor.cli import image_selection, output
from unmoor.cli.resolve_project import ResolvedProject
from unmoor.cli.run_folder import signatures_of
from unmoor.cli.surfaces import TagSurfaces, own_manifest
from unmoor.config.settings import Settings
from unmoor.errors import Internal, Interrupted, UnmoorError
from unmoor.images.image_plan import ImagePlan, image_plans
from unmoor.ports.registry import Registry
from unmoor.ports.world import World
from unmoor.project.locate import settings_at
from unmoor.publish.drift.scope import WatchedTag
from unmoor.publish.inventory import Inventory
from unmoor.util.asked_once import AskedOnce
from unmoor.util.values import replace


@dataclass(frozen=True, kw_only=True)
class ManySurfaces:
    """Opens the surfaces of tags. The staging index is none of them, since it is nothing for users."""

    project: ResolvedProject
    world: World
    services: ListedServices
    processes: Processes
    _once: AskedOnce = field(default_factory=AskedOnce, init=False, repr=False)

    def of(self, tag: WatchedTag) -> tuple[TagSurfaces, TagSurfaces | None]:
        """Return the surfaces of a tag, and the same with signatures that vouch for a manifest, if anything is signed.

        Raises `ConfigError` for settings that it cannot read.
        """
        git, repository = self.services.git, self.world.forge.repository
        commit = tag.local or self.project.commit
        settings = settings_at(self.project.checkout, commit, self.project.sources).settings
        checkout = self.project.checkout.folder
        belief = Belief(notebook=StateNotebook.of(repository, tag.tag, tag.local, checkout=checkout))
        plain = TagSurfaces(
            tag=tag.tag,
            repository=repository,
            settings=settings,
            git=git,
            forge=self.services.forge,
            index=self.services.index,
            staging=None,
            registry=partial(self._registry, self.world),
            plans=self._plans(settings, commit),
            own=partial(own_manifest, RunFolder.of(checkout, tag.tag, belief)),
        )
        signatures = signatures_of(
            tag.tag, settings, repository, signing=self.services.signing, forge=self.services.forge, git=git
        )
        if signatures is None:
            return plain, None
        folder = RunFolder.of(checkout, tag.tag, replace(belief, signatures=signatures))
        return plain, replace(plain, own=partial(own_manifest, folder))

    def _plans(self, settings: Settings, commit: str | None) -> tuple[ImagePlan, ...]:
        """The images of a release. An image whose registry a rehearsal's world lacks is left out, with a warning."""
        repository = self.world.forge.repository
        images = image_selection.select_configured(
            settings, self.services.git, commit, repository=repository, without=False
        )
        world = image_selection.with_registries_of(self.world, images)
        images = image_selection.skip_unbuildable(images, world, None, this_system())
        for each in images.left_out:
            self._once(each, partial(output.err, f"warning: skipping {each.what}: {each.why}"))
        return image_plans(images.images, repository, partial(self._registry, world))

    def _registry(self, world: World, name: str) -> Registry:
        return self._once(("registry", name), lambda: open_listed_registry(name, world, self.processes))


def floating_tags(surfaces: TagSurfaces, inventory: Inventory) -> frozenset[str]:
    """The floating tags of the images of a release; none if nobody can tell. Then the registry is unknown, too."""
    if not surfaces.plans or not inventory.has_images:
        return frozenset()
    try:
        release = surfaces.released(inventory)
    except (Interrupted, Internal):
        raise
    except UnmoorError:
        return frozenset()
    return frozenset(
        tag for plan in surfaces.plans for target in plan.targets for tag in plan.planner(release, target).floating
    )
