"""What ``unmoor clean images`` does: survey each image, decide what no tag needs, and delete it if asked."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import click

from unmoor.adapters.factory import create_services, open_checkout
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.oci import ImageName
from unmoor.ci.github_actions import RunContext
from unmoor.cli import image_selection, output, session
from unmoor.cli.resolve_project import open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import TargetOptions
from unmoor.config.registries import with_registries
from unmoor.errors import ConfigError
from unmoor.images import cleanup
from unmoor.images.cleanup import Cleaned, Survey
from unmoor.images.image_names import names_of
from unmoor.images.sweep import RetentionRules, Sweep, Why, sweep
from unmoor.ports.services import Services

_SHORT = 19


@dataclass(frozen=True, kw_only=True)
class Stays:
    """One manifest that stays, with its tags and the reason."""

    digest: str
    tags: tuple[str, ...]
    why: Why


@dataclass(frozen=True, kw_only=True)
class Goes:
    """One manifest that may go, with its tags; ``deleted`` tells whether it was, ``spared`` why not after all."""

    digest: str
    tags: tuple[str, ...]
    deleted: bool = False
    spared: str = ""


@dataclass(frozen=True, kw_only=True)
class CleanedImage:
    """One repository of images."""

    name: str
    goes: tuple[Goes, ...]
    stays: tuple[Stays, ...]


@dataclass(frozen=True, kw_only=True)
class CleanDocument:
    """What ``clean images --json`` writes."""

    world: str
    applied: bool
    images: tuple[CleanedImage, ...]


def run(rules: RetentionRules, target: TargetOptions, images: tuple[str, ...], *, really: bool, as_json: bool) -> int:
    """Clean by the rules, say what goes and what stays, and return the exit code."""
    with Processes() as processes, processes.guarded():
        name, services, wanted = _opened(target, images, processes)
        found = tuple(_cleaned(each, services, rules, really=really) for each in wanted)
    if as_json:
        session.echo_json(CleanDocument(world=name, applied=really, images=found))
    else:
        for line in output.aligned(("image", "digest", "", "tags", "why"), _rows(found)):
            click.echo(line)
    count = sum(not each.spared for image in found for each in image.goes)
    told = f"{count} manifests {'were deleted' if really else 'would be deleted'}"
    output.err(told if really or not count else f"{told}; to do it: add --apply")
    return 0


def _opened(
    target: TargetOptions, images: tuple[str, ...], processes: Processes
) -> tuple[str, Services, tuple[str, ...]]:
    """The world's name, the powers in it, and the images that are meant. No tag is needed for this."""
    sources = read_sources()
    named = bool(images)
    here = open_checkout(target.folder, processes) if named else resolve_checkout(target, sources, processes, tag=None)
    project = resolve_project(here, here.head(), sources, RunContext.from_environ(os.environ))
    world = open_world(target.world, project, repository=project.repository, required=not named)
    if not images:
        wanted = image_selection.configured(
            project.settings, here, project.commit, repository=world.forge.repository, without=False
        )
        images = tuple(name for each in wanted.images for name in names_of(each, world.forge.repository))
    if not images:
        raise ConfigError(
            "this project has no images: neither [[tool.unmoor.image]] nor a Dockerfile",
            where=str(here.folder),
            next_step="name one: unmoor clean images --image ghcr.io/owner/name",
        )
    names = tuple(dict.fromkeys(ImageName.parse(each) for each in images))
    world = with_registries(world, [name.host for name in names], os.environ)
    return world.name, create_services(world, target.folder, processes), tuple(map(str, names))


def _cleaned(name: str, services: Services, rules: RetentionRules, *, really: bool) -> CleanedImage:
    """Read, decide and, if that is wanted, delete, in one repository."""
    registry, packages = services.registry(name), services.packages(name)
    seen = cleanup.survey(registry, packages, say=output.err)
    plan = sweep(seen.graph, rules, now=time.time())
    done = cleanup.apply(registry, packages, seen, plan, say=output.err) if really else Cleaned(deleted=(), spared=())
    return _summarize(name, seen, plan, done)


def _summarize(name: str, seen: Survey, plan: Sweep, done: Cleaned) -> CleanedImage:
    spared = dict(done.spared)
    return CleanedImage(
        name=name,
        goes=tuple(
            Goes(
                digest=each,
                tags=seen.graph.tags_on(each),
                deleted=each in done.deleted,
                spared=spared.get(each, ""),
            )
            for each in plan.gone
        ),
        stays=tuple(
            Stays(digest=each, tags=seen.graph.tags_on(each), why=why) for each, why in sorted(plan.kept.items())
        ),
    )


def _rows(images: tuple[CleanedImage, ...]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for image in images:
        for each in image.goes:
            what = "stays" if each.spared else "deleted" if each.deleted else "goes"
            rows.append((image.name, each.digest[:_SHORT], what, ", ".join(each.tags) or "-", each.spared))
        # What has a tag first: that is what people look for.
        rows += [
            (image.name, kept.digest[:_SHORT], "stays", ", ".join(kept.tags) or "-", kept.why)
            for kept in sorted(image.stays, key=lambda one: (not one.tags, one.tags))
        ]
    return rows
