"""What files that were built elsewhere say about the release to rehearse: its tag or version, and what is believed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief, ThisProcess
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.merge import Handover, built_files
from unmoor.artifacts.notebook import StateNotebook
from unmoor.cli.run_options import FileOptions
from unmoor.dists import inspect
from unmoor.errors import InvalidDist, Refused, UnmoorError
from unmoor.filesystem.files import read_regular
from unmoor.rehearsal.rehearsal_tag import BuiltFiles
from unmoor.util.text import clean, list_some


class BuiltElsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """``tag`` is the one that was named, or that other jobs built for; ``built`` is what another tool built.

    Both are ``None`` if nothing says them. ``belief`` is this account's, but what a rehearsal writes is forgotten.
    """

    belief: Belief
    tag: str | None = None
    built: BuiltFiles | None = None


def read(files: FileOptions, checkout: Path, *, tag: str | None = None) -> BuiltElsewhere:
    """Read what was built elsewhere, to rehearse ``tag`` or, if that is ``None``, the tag of the files.

    Raises `Refused` if nothing vouches for a manifest or a folder holds files of several versions, `Incomplete` if it
    holds none, `Unknown` if a manifest is broken.
    """
    given = frozenset(files.digests)
    built = _read_built(files.prebuilt) if files.prebuilt is not None else None
    if not files.handed:
        return BuiltElsewhere(belief=Belief(given=given, notebook=ThisProcess()), tag=tag, built=built)
    claimed = _claims(files.handed[0])
    # The sha256 of the manifest decides, so its own words may say where to look for it.
    key = (claimed.repository, claimed.tag, claimed.commit) if claimed is not None else ("", "", "")
    noted = StateNotebook.of(*key, checkout=checkout)
    belief = Belief(given=given, notebook=ThisProcess(noted=noted))
    read = [manifests.decode(leg.read(belief), where=str(leg.manifest)) for leg in files.handed]
    return BuiltElsewhere(belief=belief, tag=read[0].tag if tag is None else tag, built=built)


def refuse_inside(files: FileOptions, folder: Path) -> None:
    """Raise `Refused` for a given folder inside the one that a rehearsal empties first."""
    given = [*(leg.manifest.parent for leg in files.handed), *(leg.dists for leg in files.handed), *files.legs]
    for each in (*given, *([files.prebuilt] if files.prebuilt else ())):
        if each.resolve().is_relative_to(folder.resolve()):
            raise Refused(
                "each rehearsal begins by removing the files of the last one, and this folder is among them",
                where=str(each),
                next_step=advice.COPY_FOLDER(),
            )


def _claims(handover: Handover) -> Manifest | None:
    """Read a manifest that may not count; ``None`` if there is none or it is broken, which is reported later."""
    try:
        return manifests.decode(read_regular(handover.manifest, manifests.LIMIT), where=str(handover.manifest))
    except (FileNotFoundError, UnmoorError):
        return None


def _read_built(folder: Path) -> BuiltFiles | None:
    """Read the version of built files from their names. ``None`` if no name is valid: ``check-dists`` reports it."""
    found = set()
    for path in built_files(folder)[0]:
        try:
            parsed = inspect.parse_filename(path.name)
        except InvalidDist:
            continue
        found.add((parsed.name, parsed.version))
    if len(found) > 1:
        names = [f"{clean(name)} {version}" for name, version in sorted(found)]
        raise Refused(
            f"it holds files of several releases: {list_some(names)}",
            where=str(folder),
            next_step=advice.LEAVE_ONE_RELEASE(),
        )
    return next((BuiltFiles(version=version, folder=str(folder)) for _, version in found), None)
