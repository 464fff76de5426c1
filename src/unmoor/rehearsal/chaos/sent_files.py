"""A file on an index before a round begins: one of the release, another of its name, or one of a dependency."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from unmoor.adapters.factory import open_index
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.files import describe_file
from unmoor.config.worlds import read_world
from unmoor.dists.inspect import read_metadata
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.index import Sent
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.made_artifacts import make_wheel
from unmoor.rehearsal.shared.worldfile import WORLD
from unmoor.util.values import replace

_JUNK: Final = "9999.0"
_JUNK_SOURCE: Final = 'raise SystemExit("this is junk of a staging index")\n'


def send_before(folder: WorldFolder) -> bool:
    """Send the first wheel of the release to the index. Return whether there was one that it took."""
    return any(_send(path, folder) for path in _wheels(folder))


def take_name(folder: WorldFolder) -> bool:
    """Send a wheel of the same name and content to the index, as another build would have packed it."""
    with temporary_folder() as place:
        return any(_send(_repacked(path, place), folder) for path in _wheels(folder))


def send_junk(folder: WorldFolder) -> bool:
    """Send a higher version of a dependency, which cannot be imported, to the staging index.

    One that every install needs is taken first, else one of an extra. Return whether the project has any.
    """
    for name in [name for path in _wheels(folder) for name in _dependencies(path)][:1]:
        with temporary_folder() as place:
            return _send(make_wheel(place, name, _JUNK, _JUNK_SOURCE), folder, staged=True)
    return False


def _dependencies(wheel: Path) -> list[str]:
    """The names of what a wheel requires, those of extras last. What has an address of its own is in no index."""
    found = []
    for text in read_metadata(wheel).requires:
        try:
            required = Requirement(text)
        except InvalidRequirement:
            continue
        if required.url is None:
            found.append((required.marker is not None and "extra" in str(required.marker), required.name))
    return [name for _, name in sorted(found, key=lambda each: each[0])]


def _wheels(folder: WorldFolder) -> list[Path]:
    return sorted((folder.run / "dists").glob("*.whl"))[:1]


def _send(path: Path, folder: WorldFolder, *, staged: bool = False) -> bool:
    with Processes() as processes:
        world = read_world(folder.path / WORLD, {})
        place = world.staging if staged and world.staging is not None else world.index
        index = open_index(replace(world, index=place), processes)
        return isinstance(index.send(describe_file(path)), Sent)


def _repacked(wheel: Path, into: Path) -> Path:
    """Pack the members of a wheel in the other way: stored if they are compressed, else compressed."""
    path = into / wheel.name
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(path, "w") as after:
        packed = any(each.compress_type != zipfile.ZIP_STORED for each in before.infolist())
        for each in before.infolist():
            way = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            after.writestr(each, before.read(each), compress_type=way)
    return path
