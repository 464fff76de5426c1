"""``unmoor schema``: the JSON schemas of what unmoor reads and writes."""

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
    """Print the JSON schema NAME.

    `plan` is what `plan --json`, `release --json` and `rehearse --json` write, `manifest` the asset
    of every release, `settings` the table [tool.unmoor], `world` a world file.
    """
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
