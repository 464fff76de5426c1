"""Read the entry points of an installed project (entry points specification)."""

from __future__ import annotations

import configparser
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.errors import InvalidDist
from unmoor.util.decode import read_ini
from unmoor.util.text import clean

if TYPE_CHECKING:  # slow to import, and not needed by runs that only read
    from importlib.metadata import EntryPoint


def parse_entry_points(text: bytes) -> tuple[EntryPoint, ...]:
    """Read the bytes of ``entry_points.txt``, sorted by group and name. Raises `InvalidDist`, also for a target."""
    points = read_entry_points(text)
    for point in points:
        if point.pattern.match(point.value) is None:
            raise InvalidDist(
                f"the entry point {clean(point.name)!r} has no valid target", next_step=advice.BUILD_AGAIN()
            )
    return points


def read_entry_points(text: bytes) -> tuple[EntryPoint, ...]:
    """Read the bytes of ``entry_points.txt``, sorted by group and name, whatever they name. Raises `InvalidDist`."""
    from importlib.metadata import EntryPoint

    # The format is configparser's, but names keep their case (entry points specification).
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep case
    try:
        read_ini(parser, text.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        raise InvalidDist(
            f"cannot read the entry points: {clean(str(error))}", next_step=advice.BUILD_AGAIN()
        ) from error
    points = [
        EntryPoint(name=name, value=value, group=group)
        for group in parser.sections()
        for name, value in parser.items(group)
    ]
    return tuple(sorted(points, key=lambda point: (point.group, point.name)))
