"""Run ``unmoor clean images``: read each repository of images, decide what no tag needs, and delete it with --apply."""

from __future__ import annotations

import os
import time

import click
import msgspec

from unmoor import advice
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

_SHORT_DIGEST = len("sha256:") + 12


class KeptManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that stays, with its tags and the reason."""

    digest: str
    tags: tuple[str, ...]
    why: Why


class UnneededManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that no tag needs, with its own tags.

    ``deleted`` is true if this run deleted it. ``spared`` is the reason if it could not be deleted, else empty.
    """

    digest: str
    tags: tuple[str, ...]
    deleted: bool = False
    spared: str = ""


class CleanedImage(msgspec.Struct, frozen=True, kw_only=True):
    """One repository of images and what becomes of its manifests."""

    name: str
    goes: tuple[UnneededManifest, ...]
    stays: tuple[KeptManifest, ...]


class CleanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``clean images --json``."""

    world: str
    applied: bool
    images: tuple[CleanedImage, ...]


def run(rules: RetentionRules, target: TargetOptions, images: tuple[str, ...], *, apply: bool, as_json: bool) -> int:
    """Clean by the rules, print what goes and what stays, and return the exit code."""
    with Processes() as processes, processes.guarded():
        world, services, names = _open(target, images, processes)
        cleaned = tuple(_clean_image(each, services, rules, apply=apply) for each in names)
    if as_json:
        session.echo_json(CleanDocument(world=world, applied=apply, images=cleaned))
    else:
        for line in output.align_columns(("image", "digest", "", "tags", "why"), _rows(cleaned)):
            click.echo(line)
    count = sum(not each.spared for image in cleaned for each in image.goes)
    what = f"{count} manifest{'' if count == 1 else 's'}"
    if apply:
        output.err(f"deleted {what}")
    else:
        output.err(f"would delete {what}" + ("; to delete, add --apply" if count else ""))
    return 0


def _open(
    target: TargetOptions, images: tuple[str, ...], processes: Processes
) -> tuple[str, Services, tuple[str, ...]]:
    """Return the world's name, the services in it, and the names of the images to clean. No tag is needed."""
    sources = read_sources()
    named = bool(images)
    here = open_checkout(target.folder, processes) if named else resolve_checkout(target, sources, processes, tag=None)
    project = resolve_project(here, here.head(), sources, RunContext.from_environ(os.environ))
    world = open_world(target.world, project, repository=project.repository, required=not named)
    if not images:
        selection = image_selection.select_configured(
            project.settings, here, project.commit, repository=world.forge.repository, without=False
        )
        images = tuple(name for each in selection.images for name in names_of(each, world.forge.repository))
    if not images:
        raise ConfigError(
            "this project has no images: there is neither [[tool.unmoor.image]] nor a Dockerfile",
            where=str(here.folder),
            next_step=advice.NAME_IMAGE_TO_CLEAN(),
        )
    names = tuple(dict.fromkeys(ImageName.parse(each) for each in images))
    world = with_registries(world, [name.host for name in names], os.environ)
    return world.name, create_services(world, target.folder, processes), tuple(map(str, names))


def _clean_image(name: str, services: Services, rules: RetentionRules, *, apply: bool) -> CleanedImage:
    """Read one repository, decide what no tag needs and, if ``apply``, delete it."""
    registry, packages = services.registry(name), services.packages(name)
    seen = cleanup.survey(registry, packages, say=output.err)
    plan = sweep(seen.graph, rules, now=time.time())
    done = cleanup.apply(registry, packages, seen, plan, say=output.err) if apply else Cleaned(deleted=(), spared=())
    return _summarize(name, seen, plan, done)


def _summarize(name: str, seen: Survey, plan: Sweep, done: Cleaned) -> CleanedImage:
    spared = dict(done.spared)
    return CleanedImage(
        name=name,
        goes=tuple(
            UnneededManifest(
                digest=each,
                tags=seen.graph.tags_on(each),
                deleted=each in done.deleted,
                spared=spared.get(each, ""),
            )
            for each in plan.gone
        ),
        stays=tuple(
            KeptManifest(digest=each, tags=seen.graph.tags_on(each), why=why) for each, why in sorted(plan.kept.items())
        ),
    )


def _rows(images: tuple[CleanedImage, ...]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for image in images:
        for each in image.goes:
            what = "stays" if each.spared else "deleted" if each.deleted else "goes"
            rows.append((image.name, each.digest[:_SHORT_DIGEST], what, ", ".join(each.tags) or "-", each.spared))
        # Tagged manifests first: people look for those.
        rows += [
            (image.name, kept.digest[:_SHORT_DIGEST], "stays", ", ".join(kept.tags) or "-", kept.why)
            for kept in sorted(image.stays, key=lambda one: (not one.tags, one.tags))
        ]
    return rows
