"""``unmoor explain``: what a piece of advice is about."""

from __future__ import annotations

import difflib
import json

import click

from unmoor.cli.help import examples


@click.command(
    short_help="Explain the advice of an error: cause, what is public, what to do.",
    epilog=examples("unmoor explain fetch-history", "unmoor explain | grep token"),
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def command(ids: tuple[str, ...], *, as_json: bool) -> None:
    """Explain the advice of an error: its cause, what is public by then, and what to do.

    An error names the IDs of its advice after `more:`. Without an ID, list every ID with its advice.
    """
    import msgspec

    from unmoor.render.explain import explanations, lines
    from unmoor.util.text import clean

    known = explanations()
    for each in ids:
        if each not in known:
            near = difflib.get_close_matches(each, known, n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else "; unmoor explain lists all of them"
            raise click.BadParameter(f"there is no advice {clean(each, 60)!r}{hint}", param_hint="ID")
    chosen = [known[each] for each in dict.fromkeys(ids)] or list(known.values())
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(each) for each in chosen], indent=2))
    elif ids:
        click.echo("\n\n".join("\n".join(lines(each)) for each in chosen))
    else:
        width = max(map(len, known))
        click.echo("\n".join(f"{each.id:{width}}  {each.advice}" for each in chosen))
