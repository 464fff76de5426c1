"""A file on the index before a round begins: one of the release, or another one that has its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

from unmoor.adapters.factory import open_index
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.files import describe_file
from unmoor.config.worlds import read_world
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.index import Sent
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.shared.worldfile import WORLD


def send_before(folder: WorldFolder) -> bool:
    """Send the first wheel of the release to the index. Return whether there was one that it took."""
    return any(_send(path, folder) for path in _wheels(folder))


def take_name(folder: WorldFolder) -> bool:
    """Send a wheel of the same name and content to the index, as another build would have packed it."""
    with temporary_folder() as place:
        return any(_send(_repacked(path, place), folder) for path in _wheels(folder))


def _wheels(folder: WorldFolder) -> list[Path]:
    return sorted((folder.run / "dists").glob("*.whl"))[:1]


def _send(path: Path, folder: WorldFolder) -> bool:
    with Processes() as processes:
        index = open_index(read_world(folder.path / WORLD, {}), processes)
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
