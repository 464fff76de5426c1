"""``unmoor image-tags``: the tags, labels and annotations of images for any ref and event."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import directory_option, json_option
from unmoor.util.text import clean


class ImageTags(GroupedCommand):
    """The command, its options by what they are about."""

    groups: ClassVar = {
        "What is built, where the run does not say it": ("folder", "ref", "sha", "event", "event_name", "date"),
        "What the image is to get": ("images", "rules", "flavor", "labels", "annotations"),
        "How the rules are read": ("latest_on_default_branch", "compat"),
    }


@click.command(
    "image-tags",
    cls=ImageTags,
    short_help="Say which tags, labels and annotations an image gets.",
    epilog=examples(
        "unmoor image-tags --image ghcr.io/owner/name",
        "unmoor image-tags --ref refs/tags/v1.2.3 --rules 'type=pep440,pattern={{version}}'",
    ),
)
@click.option("--ref", metavar="REF", help="What is built: refs/heads/main, refs/tags/v1.2.3, refs/pull/123/merge.")
@click.option("--sha", metavar="COMMIT", help="The commit that is built.")
@click.option(
    "--event", type=click.Path(path_type=Path), metavar="FILE", help="The event as GitHub Actions wrote it (JSON)."
)
@click.option("--event-name", metavar="NAME", help="Its name: push, pull_request, schedule, …")
@click.option("--rules", multiple=True, metavar="RULE", help="A rule, or several lines of them. Repeatable.")
@click.option("--flavor", multiple=True, metavar="FLAVOR", help="latest=…, prefix=…, suffix=… Repeatable.")
@click.option("--image", "images", multiple=True, metavar="NAME", help="An image: ghcr.io/owner/name. Repeatable.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="A label besides. Repeatable.")
@click.option(
    "--annotation", "annotations", multiple=True, metavar="KEY=VALUE", help="An annotation besides. Repeatable."
)
@click.option("--date", metavar="TIME", help="The time to plan for (ISO 8601) instead of now.")
@click.option("--latest-on-default-branch", is_flag=True, help="That branch gets latest, and releases never do.")
@click.option("--compat", is_flag=True, help="Do as docker/metadata-action does where unmoor differs on purpose.")
@directory_option
@json_option
def command(
    *,
    ref: str | None,
    sha: str | None,
    event: Path | None,
    event_name: str | None,
    rules: tuple[str, ...],
    flavor: tuple[str, ...],
    images: tuple[str, ...],
    labels: tuple[str, ...],
    annotations: tuple[str, ...],
    date: str | None,
    latest_on_default_branch: bool,
    compat: bool,
    folder: Path,
    as_json: bool,
) -> int:
    """Say which tags, labels and annotations an image gets for what is built here.

    The rules are those of docker/metadata-action (docs/reference/image-tags.md). In GitHub Actions
    the ref, the commit and the event are those of the run; elsewhere they are those of the
    checkout. Reads only.
    """
    from unmoor.cli import image_context
    from unmoor.cli.output import err
    from unmoor.images.tags import plan

    asked = image_context.ImageContextOptions(
        folder=folder, ref=ref, sha=sha, event=event, event_name=event_name, date=date
    )
    wants = any("commit_date" in text for text in (*rules, *flavor, *labels, *annotations))
    planned = plan(
        rules,
        flavor,
        images,
        image_context.tag_context(asked, os.environ, wants_commit_date=wants),
        labels=labels,
        annotations=annotations,
        levels=image_context.levels(os.environ),
        compat=compat,
        latest_on_default_branch=latest_on_default_branch,
    )
    for warning in planned.warnings:
        err(f"warning: {clean(warning)}")
    lines = [json.dumps(planned.document(), indent=2)] if as_json else planned.tags
    for line in lines:
        click.echo(line)
    return 0
