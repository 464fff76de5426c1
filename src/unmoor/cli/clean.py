"""``unmoor clean``: what builds leave behind on registries, and nobody needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import click

from unmoor.cli.help import GroupedCommand, examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions

_AGE = re.compile(r"([0-9]{1,6})\s*(s|m|h|d|w)?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}


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
    help="Tags that may go, besides sha-* and pr-*. Repeatable.",
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
    from unmoor.cli.clean_run import run
    from unmoor.images.sweep import PASSING, RetentionRules

    rules = RetentionRules(keep=keep, older_than=older_than, passing=(*PASSING, *also), protect=protect)
    return run(rules, target, images, really=really, as_json=as_json)
