"""What ``unmoor images`` prints and reports: the images with their tags and digests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import click
import msgspec

from unmoor.artifacts import oci
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, session
from unmoor.cli.output import align_columns, err
from unmoor.cli.run_options import RunOptions
from unmoor.cli.session import Session
from unmoor.core.events import Report
from unmoor.images.branch_tags import BranchTarget
from unmoor.images.tags import TagContext
from unmoor.products import Images, LeftTag, PushedBranch, Release
from unmoor.render import actions
from unmoor.render.document import RunDocument, document
from unmoor.render.markdown import table
from unmoor.util.text import clean

SCHEMA = 1


class BranchRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of the command: its report, the planned tags of each image, and whether it was asked to push."""

    report: Report
    targets: tuple[BranchTarget, ...]
    context: TagContext
    pushed: bool


class ImageDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One target of an image on one registry.

    ``tags`` are those that it has there, or would have if it was not pushed; then ``digest`` is empty. ``left`` are
    tags that the rules give, but that it does not get, and why.
    """

    name: str
    target: str
    digest: str
    tags: tuple[str, ...]
    left: tuple[LeftTag, ...]
    platforms: dict[str, str]


class BranchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document of ``--json``. ``run`` is as `unmoor release --json` prints it."""

    schema: int
    ref: str
    event: str
    commit: str
    version: str
    pushed: bool
    images: tuple[ImageDocument, ...]
    run: RunDocument


def finish(ran: BranchRun, opened: Session, options: RunOptions) -> int:
    """Print the images on stdout and how the run ended on stderr, and return the exit code."""
    images = tuple(_images(ran))
    code = output.print_ending(ran.report, ceiling=options.ceiling, next_command=options.command)
    if options.as_json:
        session.echo_json(_document(ran, images, opened, options))
    elif code == 0:
        for line in _table(images):
            click.echo(line)
    if code == 0:
        for each in images:
            for left in each.left:
                err(f"without {each.name}:{clean(left.tag)}: {clean(left.why, limit=500)}")
        line = output.conclusion(ran.report, tag="", rehearsal=opened.world.rehearsal)
        if line:
            err(line)
        _tell_actions(ran, images)
    return code


def _images(ran: BranchRun) -> Iterator[ImageDocument]:
    """Yield every target on every registry, with the digest that was read back."""
    product, built = ran.report.product("branch-images"), ran.report.product("images")
    pushed = {(each.name, each.target): each for each in product.images} if isinstance(product, PushedBranch) else {}
    for each in ran.targets:
        own = each.plan.images_of(each.target, built) if isinstance(built, Images) else {}
        for registry in each.plan.registries:
            there = pushed.get((registry.name, each.target.stage))
            yield ImageDocument(
                name=registry.name,
                target=each.target.stage,
                digest=there.digest if there else "",
                tags=there.tags if there else each.tags.names,
                left=(*each.tags.left, *(there.kept if there else ())),
                platforms={platform: image.id for platform, image in own.items()},
            )


def _document(
    ran: BranchRun, images: tuple[ImageDocument, ...], opened: Session, options: RunOptions
) -> BranchDocument:
    release = ran.report.product("commit")
    return BranchDocument(
        schema=SCHEMA,
        ref=ran.context.ref,
        event=ran.context.event,
        commit=release.commit if isinstance(release, Release) else ran.context.sha,
        version=release.version if isinstance(release, Release) else "",
        pushed=isinstance(ran.report.product("branch-images"), PushedBranch),
        images=images,
        run=document(
            ran.report,
            world=opened.world.name,
            rehearsal=opened.world.rehearsal,
            ceiling=options.ceiling.name.lower(),
        ),
    )


def _table(images: tuple[ImageDocument, ...]) -> list[str]:
    rows = [(each.name, each.target, ", ".join(each.tags) or "none", each.digest or "not pushed") for each in images]
    return align_columns(("image", "target", "tags", "digest"), rows)


def _tell_actions(ran: BranchRun, images: tuple[ImageDocument, ...]) -> None:
    """Write the outputs of the step, and add the images to the summary of the job."""
    context = RunContext.from_environ(os.environ)
    if context.output is not None:
        actions.write_outputs(context.output, outputs(ran, images))
    if context.summary is not None:
        with context.summary.open("a", encoding="utf-8") as stream:
            stream.write(summary(images))


def outputs(ran: BranchRun, images: tuple[ImageDocument, ...]) -> Mapping[str, str]:
    """Return the outputs of the step: ``version``, ``commit``, ``pushed``, and each image's ``digest`` and ``tags``.

    The names end in the target if there are several (``digest-production``), after the last part of the image's name if
    there are several images (``digest-app-production``). Tags are complete references, separated by blanks. The digest
    is that on the image's own registry, not on a mirror.
    """
    release = ran.report.product("commit")
    values = {"pushed": str(ran.pushed).lower()}
    if isinstance(release, Release):
        values |= {"version": release.version, "commit": release.commit}
    names = {each.plan.name for each in ran.targets}
    for each in ran.targets:
        own = [image for image in images if image.target == each.target.stage and _is_on(image, each)]
        parts = [oci.ImageName.parse(each.plan.name).repository.rpartition("/")[2]] if len(names) > 1 else []
        parts += [each.target.stage] if len(each.plan.targets) > 1 else []
        end = "".join(f"-{part}" for part in parts)
        values[f"tags{end}"] = " ".join(f"{image.name}:{tag}" for image in own for tag in image.tags)
        if ran.pushed:
            values[f"digest{end}"] = own[0].digest
    return values


def _is_on(image: ImageDocument, each: BranchTarget) -> bool:
    return image.name in {registry.name for registry in each.plan.registries}


def summary(images: tuple[ImageDocument, ...]) -> str:
    """Return the part of the job summary about the images, as GitHub Markdown."""
    rows = [(each.name, each.target, ", ".join(each.tags), each.digest or "not pushed") for each in images]
    return "### Images\n\n" + table(("image", "target", "tags", "digest"), rows)
