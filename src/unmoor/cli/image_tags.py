"""``unmoor image-tags``: print the tags, labels and annotations of an image for any ref and event."""

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
    """The command ``unmoor image-tags`` with its options in groups."""

    groups: ClassVar = {
        "Image and rules": ("images", "rules", "flavor", "labels", "annotations"),
        "Build to plan for (detected by default)": ("folder", "ref", "sha", "event", "event_name", "date"),
        "How to read the rules": ("latest_on_default_branch", "compat"),
    }


@click.command(
    "image-tags",
    cls=ImageTags,
    short_help="Print the tags, labels and annotations that an image gets.",
    epilog=examples(
        "unmoor image-tags --image ghcr.io/owner/name",
        "unmoor image-tags --ref refs/tags/v1.2.3 --rules 'type=pep440,pattern={{version}}'",
    ),
)
@click.option(
    "--ref",
    metavar="REF",
    help="The full ref, such as refs/heads/main, refs/tags/v1.2.3 or refs/pull/123/merge.",
)
@click.option("--sha", metavar="COMMIT", help="The full commit id.")
@click.option(
    "--event", type=click.Path(path_type=Path), metavar="FILE", help="The JSON file with the GitHub Actions event."
)
@click.option("--event-name", metavar="NAME", help="The name of the event, such as push, pull_request or schedule.")
@click.option(
    "--rules", multiple=True, metavar="RULE", help="A rule for tags, or several, one a line. Can be repeated."
)
@click.option(
    "--flavor",
    multiple=True,
    metavar="FLAVOR",
    help="A setting for all rules: latest=…, prefix=… or suffix=…. Can be repeated.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME",
    help="The name of the image, such as ghcr.io/owner/name. Can be repeated.",
)
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Add this label. Can be repeated.")
@click.option(
    "--annotation", "annotations", multiple=True, metavar="KEY=VALUE", help="Add this annotation. Can be repeated."
)
@click.option("--date", metavar="TIME", help="The time to plan for, in ISO 8601 (the default is now).")
@click.option(
    "--latest-on-default-branch", is_flag=True, help="Give latest to the default branch instead of to releases."
)
@click.option("--compat", is_flag=True, help="Follow docker/metadata-action even where unmoor deliberately differs.")
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
    """Print the tags, labels and annotations that an image gets, without changing anything.

    The rules have the syntax of docker/metadata-action (docs/reference/image-tags.md). The ref, the
    commit and the event default to those of the run in GitHub Actions, and to those of the checkout
    elsewhere.
    """
    from unmoor.cli import image_context
    from unmoor.cli.output import err
    from unmoor.images.tags import plan

    options = image_context.ImageContextOptions(
        folder=folder, ref=ref, sha=sha, event=event, event_name=event_name, date=date
    )
    wants_commit_date = any("commit_date" in text for text in (*rules, *flavor, *labels, *annotations))
    tag_plan = plan(
        rules,
        flavor,
        images,
        image_context.tag_context(options, os.environ, wants_commit_date=wants_commit_date, compat=compat),
        labels=labels,
        annotations=annotations,
        levels=image_context.levels(os.environ),
        compat=compat,
        latest_on_default_branch=latest_on_default_branch,
    )
    for warning in tag_plan.warnings:
        err(f"warning: {clean(warning)}")
    lines = [json.dumps(tag_plan.document(), indent=2)] if as_json else tag_plan.tags
    for line in lines:
        click.echo(line)
    return 0
