"""A light, and the parser of its character."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from importlib.resources import files

_CHARACTER = re.compile(r"(?P<kind>F|Fl|Iso|Oc)(?:\((?P<group>[1-9])\))?(?: (?P<period>[1-9][0-9]{0,2})s)?", re.ASCII)
_FLASH = 0.5
"""Length of a flash in seconds."""
_GAP = 1.5
"""Seconds from the start of a flash to the start of the next one in its group."""


@dataclass(frozen=True, kw_only=True)
class Light:
    """A light: its character as charts write it, its period in seconds, and when it shines.

    ``shines`` holds the start and the end of each flash, in seconds from the start of the period.
    """

    character: str
    period: float
    shines: tuple[tuple[float, float], ...]

    def is_lit(self, second: float) -> bool:
        """Return whether the light is on at a time in seconds."""
        moment = second % self.period
        return any(start <= moment < end for start, end in self.shines)


def parse(character: str) -> Light:
    """Parse a character such as ``Fl(2) 10s``. Raises `ValueError` for anything else."""
    match = _CHARACTER.fullmatch(character)
    if match is None:
        raise ValueError(f"{character!r} is not the character of a light; write it like 'Fl(2) 10s'")
    kind, group, period = match["kind"], int(match["group"] or 1), float(match["period"] or 0)
    if kind == "F":
        if match["group"] or match["period"]:
            raise ValueError("a fixed light has neither groups nor a period")
        return Light(character=character, period=1.0, shines=((0.0, 1.0),))
    if not period or (kind != "Fl" and match["group"]):
        raise ValueError(f"{character!r} needs a period in seconds, and only flashing lights have groups")
    if kind == "Fl":
        shines = tuple((index * _GAP, index * _GAP + _FLASH) for index in range(group))
        if shines[-1][1] >= period:
            raise ValueError(f"{group} flashes do not fit into {period:g} seconds")
        return Light(character=character, period=period, shines=shines)
    light = period / 2 if kind == "Iso" else period * 3 / 4
    return Light(character=character, period=period, shines=((0.0, light),))


def known() -> dict[str, str]:
    """Return the character of each well-known light by name."""
    text = files("lighthouse").joinpath("lights.csv").read_text("utf-8")
    return {row["name"]: row["character"] for row in csv.DictReader(text.splitlines())}
