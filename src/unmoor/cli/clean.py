"""``unmoor clean``: what builds leave behind on registries, and nobody needs."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from typing import ClassVar

import click

from unmoor.adapters.factory import create_services, open_checkout
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.oci import ImageName
from unmoor.ci.github_actions import RunContext
from unmoor.cli import image_selection, output, session
from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option, target_options
from unmoor.cli.resolve_project import open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import TargetOptions
from unmoor.config.registries import with_registries
from unmoor.errors import ConfigError
from unmoor.images import cleanup
from unmoor.images.cleanup import Cleaned, Survey
from unmoor.images.image_names import names_of
from unmoor.images.sweep import PASSING, RetentionRules, Sweep, Why, sweep
from unmoor.ports.services import Services

_AGE = re.compile(r"([0-9]{1,6})\s*(s|m|h|d|w)?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
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


class Age(click.ParamType[float]):
    """A time such as ``30d``, in seconds."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number with s, m, h, d or w; days where there is none."""
        if isinstance(value, float):
            return value
        found = _AGE.fullmatch(str(value).strip().lower())
        if found is None:
            self.fail(f"{str(value)[:40]!r} is no time: write 30d, 12h or 2w", param, ctx)
        return float(found[1]) * _UNITS[found[2] or "d"]


@click.group(short_help="Delete what builds left on registries and no tag needs.")
def command() -> None:
    """Delete what builds left behind and nobody needs."""


class CleanImages(GroupedCommand):
    """The command, its options by what they are about."""

    groups: ClassVar = {
        "Where to look": ("folder", "path", "world", "images"),
        "What may go": ("keep", "older_than", "protect", "also", "really"),
    }


@command.command(
    cls=CleanImages,
    short_help="Delete images that no remaining tag needs. Dry without --apply.",
    epilog=examples("unmoor clean images", "unmoor clean images --keep 5 --older-than 2w --apply"),
)
@click.option(
    "--keep",
    type=click.IntRange(0),
    metavar="COUNT",
    default=10,
    show_default=True,
    help="Keep this many of the newest.",
)
@click.option("--older-than", type=Age(), default="30d", show_default=True, help="Only what is older: 30d, 12h, 2w.")
@click.option("--protect", multiple=True, metavar="PATTERN", help="Tags that never go, such as 'pr-1*'. Repeatable.")
@click.option(
    "--also",
    multiple=True,
    metavar="PATTERN",
    help=f"Tags that may go, besides {' and '.join(PASSING)}. Repeatable.",
)
@click.option("--image", "images", multiple=True, metavar="NAME", help="Only this image. Repeatable.")
@click.option("--apply", "really", is_flag=True, help="Do it. Without this it is only said.")
@target_options(tag=False, config=False)
@json_option
def images(
    *,
    keep: int,
    older_than: float,
    protect: tuple[str, ...],
    also: tuple[str, ...],
    images: tuple[str, ...],
    target: TargetOptions,
    really: bool,
    as_json: bool,
) -> int:
    """Delete manifests that no remaining tag needs: neither itself, nor through an index, nor as a referrer.

    Tags of commits and pull requests (sha-*, pr-*) may go; every other tag stays, with everything
    it needs. Whatever cannot be read is kept, and so is what it may need. On GHCR versions of the
    package are deleted, elsewhere digests.
    """
    rules = RetentionRules(keep=keep, older_than=older_than, passing=(*PASSING, *also), protect=protect)
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
