"""The command line."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version

from lighthouse.draw import bar, coloured
from lighthouse.light import known, parse


def main(arguments: list[str] | None = None) -> int:
    """Draw the light that the arguments name. Returns the exit code."""
    parser = argparse.ArgumentParser("lighthouse", description="Draw the character of a light.")
    parser.add_argument("character", nargs="?", help="the character of a light, such as 'Fl(2) 10s'")
    parser.add_argument("--at", metavar="NAME", choices=sorted(known()), help="the name of a well-known light")
    parser.add_argument("--version", action="version", version=version("lighthouse-demo"))
    options = parser.parse_args(arguments)
    if bool(options.character) == bool(options.at):
        parser.error("give either a character or --at NAME")
    try:
        light = parse(options.character or known()[options.at])
    except ValueError as error:
        parser.error(str(error))
    drawn = bar(light)
    shown = coloured(drawn) if sys.stdout.isatty() else drawn
    sys.stdout.write(f"{light.character}  |{shown}|  {options.at or ''}".rstrip() + "\n")
    return 0
