"""``unmoor schema``: print the JSON schemas of the files and documents of unmoor."""

from __future__ import annotations

import json

import click

from unmoor.cli.help import examples

NAMES = ("plan", "manifest", "settings", "world")


@click.command(
    short_help="Print a JSON schema: plan, manifest, settings or world.",
    epilog=examples("unmoor schema settings > settings.schema.json"),
)
@click.argument("name", type=click.Choice(NAMES))
def command(name: str) -> None:
    """Print a JSON schema.

    \b
    plan      the output of `plan --json`, `release --json` and `rehearse --json`
    manifest  the manifest of a release, which is one of its assets
    settings  the table [tool.unmoor] in pyproject.toml
    world     a world file, for --world
    """  # noqa: D301 - click replaces \b
    from unmoor.artifacts import manifest
    from unmoor.config.schema import settings_schema, world_schema
    from unmoor.render import document

    schemas = {
        "plan": document.schema,
        "manifest": manifest.schema,
        "settings": settings_schema,
        "world": world_schema,
    }
    click.echo(json.dumps(schemas[name](), indent=2, sort_keys=True))
